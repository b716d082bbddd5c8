// SPDX-License-Identifier: Apache-2.0

/** Whether an Accept header (RFC 9110, section 12.5.1) takes a media type; none takes all. */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const [major] = type.split('/');
  const wanted = [type, `${major}/*`, '*/*'];
  // The most specific range decides: "application/json;q=0, */*" takes everything but JSON.
  for (const range of wanted) {
    const found = rangesOf(header).find(([name]) => name === range);
    if (found !== undefined) return found[1] > 0;
  }
  return false;
}

function rangesOf(header: string): (readonly [string, number])[] {
  return header.split(',').map((member) => {
    const [name = '', ...parameters] = member.split(';').map((one) => one.trim().toLowerCase());
    const quality = parameters.find((one) => one.startsWith('q='));
    return [name, quality === undefined ? 1 : Number(quality.slice(2)) || 0] as const;
  });
}
