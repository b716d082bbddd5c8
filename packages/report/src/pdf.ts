// SPDX-License-Identifier: Apache-2.0
import PDFDocument from 'pdfkit';
import type { Account } from './account.ts';
import { certification, type Paragraph } from './certification.ts';
import { type Chapter, chapters } from './chapters.ts';
import { ascii } from './visible.ts';

const MARGIN = 56;
const LABEL_WIDTH = 110;
const BODY = 9;
const HEAD = 11;
const TITLE = 16;

/** What is known of the bag that a report goes with. */
export interface ReportOf {
  readonly account: Account;
  /** SHA-256 of tagmanifest-sha256.txt, lower-case hex. */
  readonly bagSha256?: string | undefined;
  /** When the report is made, RFC 3339: the same account and time give the same bytes. */
  readonly at: string;
}

/**
 * A chain-of-custody report as PDF 1.7, with an unsigned certification form as its last part. All
 * text is printable ASCII: what is not stands as \u{hex}, so that nothing in it can pose as
 * something else.
 */
export function pdf({ account, bagSha256, at }: ReportOf): AsyncIterable<Uint8Array> {
  const page = new PDFDocument({
    pdfVersion: '1.7',
    size: 'A4',
    margin: MARGIN,
    info: {
      Title: ascii(`Chain of custody of ${account.state.acquisitionId}`),
      Producer: 'impound',
      Creator: 'impound',
      CreationDate: new Date(at),
    },
  });
  page.font('Helvetica-Bold').fontSize(TITLE).text('Chain-of-custody report');
  note(page, `made ${at} from the chain of custody; UTC throughout`);
  for (const chapter of chapters(account)) print(page, chapter);
  heading(page, 'What this report shows, and what it does not');
  for (const line of LIMITS) note(page, line);
  page.addPage().font('Helvetica-Bold').fontSize(TITLE).text('Certification of a qualified person');
  note(
    page,
    'Prefilled from the record and not signed: it says nothing until a person completes it.',
  );
  const known = bagSha256 === undefined ? {} : { sha256: bagSha256 };
  for (const paragraph of certification(account, known)) form(page, paragraph);
  page.end();
  return page as AsyncIterable<Uint8Array>;
}

const LIMITS = [
  'It repeats what the entries of the chain say. The entries, byte for byte, are in the bag; impound verify and the commands in its README check them.',
  'Recorded times are those of the ledger, claimed times those of whoever spoke. Neither is proven by this report.',
  'That an event which never reached the ledger did not happen cannot be shown by any record.',
];

type Page = InstanceType<typeof PDFDocument>;

function heading(page: Page, text: string): void {
  if (page.y > page.page.height - MARGIN - HEAD * 4) page.addPage();
  page.moveDown(0.8).font('Helvetica-Bold').fontSize(HEAD).text(ascii(text), MARGIN);
}

function note(page: Page, text: string): void {
  page.moveDown(0.3).font('Helvetica').fontSize(BODY).text(ascii(text), MARGIN);
}

function print(page: Page, { title, facts }: Chapter): void {
  heading(page, title);
  for (const [name, value] of facts) {
    page.moveDown(0.2).font('Helvetica').fontSize(BODY);
    const width = page.page.width - 2 * MARGIN - LABEL_WIDTH;
    const text = ascii(value);
    const tall = page.font('Courier').heightOfString(text, { width });
    if (page.y + tall > page.page.height - MARGIN) page.addPage();
    const top = page.y;
    page.font('Helvetica').text(ascii(name), MARGIN, top, { width: LABEL_WIDTH - 6 });
    const label = page.y;
    page.font('Courier').text(text, MARGIN + LABEL_WIDTH, top, { width });
    page.y = Math.max(page.y, label);
  }
}

function form(page: Page, { text, blank }: Paragraph): void {
  note(page, text);
  if (!blank) return;
  page.moveDown(2);
  const right = page.page.width - MARGIN;
  page.moveTo(MARGIN, page.y).lineTo(right, page.y).lineWidth(0.5).stroke();
}
