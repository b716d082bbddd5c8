// SPDX-License-Identifier: Apache-2.0

/** What `impound help` prints. */
export const HELP = `impound: acquires forensic evidence from containers, with a chain of custody

  impound acquire TARGET --case C --reason R [--profile volatile|triage|full] [--path P]...
                  [--method M]... [--out DIR] [--kubeconfig F] [--context X] [--deadline SECONDS]
  impound up      [--data DIR] [--port N] [--kubeconfig F --cluster NAME [--context X]]
  impound list    [--case C]          acquisitions, newest first
  impound watch   ID                  follows one until it ends
  impound show    ID                  its state and its timeline
  impound export  ID --out DIR [--purpose P]    a BagIt bag: evidence, context, chain
  impound verify  DIR                 checks a bag, offline

TARGET  kubernetes://CLUSTER/NAMESPACE/POD[/CONTAINER]
        kubernetes://CLUSTER/NAMESPACE?selector=app%3Dcart[&container=cart]
        With --kubeconfig, CLUSTER is the name that this kubeconfig gets.

Without a running platform (impound up, or --url with --token-file or IMPOUND_TOKEN), acquire
starts one for as long as it runs and keeps its data in --data, IMPOUND_DATA or ~/.impound.
A kubeconfig that names a program for its token needs --allow-exec-plugins.
--json prints one JSON value per line on standard output; progress goes to standard error.

Exit codes: 0 done, 1 failed, 2 usage, 3 cancelled, refused, expired or interrupted,
            4 verification found something, 5 no platform or no access, 6 sealed but partial
`;
