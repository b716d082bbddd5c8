// SPDX-License-Identifier: Apache-2.0

/** What `impound help` prints. */
export const HELP = `impound: acquires forensic evidence from containers, with a chain of custody

  impound acquire TARGET --case C --reason R [--profile volatile|triage|full] [--path P]...
                  [--method M]... [--out DIR] [--kubeconfig F [--context X]]
                  [--deadline SECONDS] [--idempotency-key K] [--ephemeral-image I]
  impound targets [CLUSTER [NAMESPACE [--selector S]]] [--kubeconfig F [--context X]]
                                      what there is to acquire, as TARGETs
  impound up      [--data DIR] [--port N] [--kubeconfig F --cluster NAME [--context X]]
                  [--ephemeral-image I]
                                      runs the platform until Ctrl-C
  impound list    [--case C]          acquisitions, newest first
  impound show    ID                  its state, its timeline, and what to do next
  impound watch   ID                  follows one until it ends
  impound cancel  ID --reason R       stops one; approve and refuse decide on one that waits
  impound callbacks list | send all|ID... --reason R
                                      those that are given up; one more attempt for them
  impound export  ID --out DIR [--purpose P]    a BagIt bag: evidence, context, chain
  impound inspect ID [--reason R]     whether the store holds its evidence as on record: versions,
                                      sizes, checksums, locks; what it finds is on record, too
  impound inspect --since 30d [--reason R]
                                      the same of all of the last days (12h: hours), one line
                                      each: for cron; ends with 4 where something differs
  impound strays  LISTING|-           which objects of a store no chain names, since when and why,
                                      by what the store's own tool lists; it removes nothing
  impound verify  DIR [--vkey KEY|F] [--policy F] [--submitter F] [--tsa F] [--signers F]
                  [--known F]... [--cosigned-since TIME] [--head HASH] [--mirror DIR]
                                      checks a bag, offline, by keys that came another way; against
                                      checkpoints that others keep (F), who must have signed since
                                      TIME, the last entry that was told, a mirror of the log
  impound proof   ID [--event E | --index N | --seal] --out DIR
                                      that an entry, or each of an acquisition, stands in the log,
                                      in the forms that other programs read; of the seal, too
  impound proof   --known F --out FILE.consistency
                                      that the log continues F, a checkpoint that somebody keeps
  impound verify  FILE.tlog-proof... [--vkey KEY|F] [--policy F]
                                      checks such proofs, each beside its entry, offline
  impound verify  FILE.consistency --known F --vkey KEY|F
  impound audit   --purpose P [--case C] [--acquisition ID] [--actor A] [--type T] [--target T]
                  [--from TIME] [--to TIME] [--claimed] [--out FILE.jsonl|FILE.csv]
                                      entries of the log; who reads is on record. Times are those
                                      of the ledger, with --claimed those of whoever spoke
  impound report  DIR --out FILE      what a bag that verifies tells: FILE.pdf with a certification
                                      form, FILE.csv, or FILE.jsonld (CASE/UCO)
  impound ledger fsck [--vkey KEY] [--policy F] [--tsa F] [--known F]... [--mirror DIR|URL]
                                      makes the whole log again from its bytes (DATABASE_URL or
                                      DATABASE_URL_FILE, as ledger_verifier; or a mirror) and names
                                      the first that does not fit; F: a checkpoint that others keep
  impound ledger rotate KEYS --role checkpoint|sigsum|submitter
                                      another key in the secret of the log (LOG_KEYS_FILE); the
                                      ledger records it at its next start
  impound ledger succeed KEYS --known F --held N --origin NAME --actor WHO --reason R --out NEW
                                      the secret of a log that takes the place of one that lost
                                      entries: its first entry holds F, the last checkpoint known
                                      outside, and how many leaves (N) the database still had
  impound doctor  [--data DIR | --env FILE...]  what is wrong here, and what to do; changes nothing
  impound init    DIR [--cluster NAME --kubeconfig F [--reader F] [--context X]]
                                      makes keys and secrets for docker-compose.yml; once more
                                      makes what is missing, and names clusters
  impound integration add ID --allow-cluster C... --allow-namespace N... [--auth token|url-token|
                  webhook|certificate|nats] [--certificate F | --subject S | --nats-user U]
                  [--person] [--tenant T] [--no-approval] [--may-approve] [--may-read-evidence]
                  [--may-inspect] [--may-audit] [--may-audit-all-tenants]
                  [--allow-method M]... [--allow-profile P]... [--callback URL]
                  [--bytes-max N] [--seconds-max N] [--open-max N]
                  [--requests-per-second N] [--orders-per-hour N]
                                      lets a program or a person in; the secret is shown once
  impound integration list | show ID | rotate ID [--credential C] [--overlap SECONDS]
                  | revoke ID [--credential C]      all with [--data DIR | --integrations FILE]
  impound keys    DIR [--rotate IDENTITY | --finish] [--integrations FILE]
                                      keys and configuration for a nats-server of one's own
  impound signers DIR [--rotate SERVICE | --finish]
                                      by which keys services sign what they capture and store

TARGET  kubernetes://CLUSTER/NAMESPACE/POD[/CONTAINER]
        kubernetes://CLUSTER/NAMESPACE?selector=app%3Dcart[&container=cart]
        With --kubeconfig, CLUSTER is the name that this kubeconfig gets. A selector stands for
        every running container that it fits; with --out, each has its own DIR-1, DIR-2, ...

Without a running platform (impound up, or --url with --token-file or IMPOUND_TOKEN), acquire
starts one for as long as it runs; the others start what they need to look at its data. It is
kept in --data, IMPOUND_DATA or ~/.impound. Ctrl-C ends the command; what is on record goes on
with the next up or acquire. To end an acquisition: impound cancel.
--ephemeral-image I, best by digest and with sh and coreutils or busybox in it, lets containers
without a shell be collected from an ephemeral container, which stays in the pod's spec.
doctor --env FILE looks at a deployment: the environment of its services, - for its own.
A kubeconfig that names a program for its token needs --allow-exec-plugins.
--json prints one JSON object per line on standard output, its kind in "kind"; the last one of
acquire and watch is a "result", and a fault is an "error". Progress goes to standard error.

Exit codes
  0  done                       3  cancelled, refused, expired or interrupted
  1  failed                     5  no platform answers, it does not know the token, or doctor
  2  the command line is wrong     was not able to look at something
  6  sealed, but partial: it ended before all was tried
  4  verify, inspect: the bag or the evidence is not as it was; or doctor found something
  7  verify: the chain is broken or not whole
  8  verify: a signature is missing, or not that of its key
  9  verify: an entry is not where it is said to stand in the log
  10  verify: fewer witnesses have signed than the policy wants, or none since --cosigned-since
  11  ledger fsck: the index of the log does not follow from its entries
  12  ledger fsck: nor do its tree or its batches
  13  ledger fsck, verify: others know another log. Of ledger fsck 4, 7, 8, 10 and 14 are an
      entry, a chain, a signature of the log, of a witness, a stamp; the first one decides
  14  verify: a time stamp is none, or the entries say to be of another time
`;
