// SPDX-License-Identifier: Apache-2.0

/** What a kubeconfig says. */
export interface Connection {
  readonly cluster: string;
  readonly server: string;
  readonly authority: string;
  readonly account: string;
  readonly token: string;
}

/** A kubeconfig with one context, as YAML (which its JSON text is, too). */
export function kubeconfig(connection: Connection): string {
  const { cluster, server, account, token } = connection;
  const ca = Buffer.from(connection.authority).toString('base64');
  const user = account.replace('/', '-');
  const quoted = (text: string): string => JSON.stringify(text);
  return `apiVersion: v1
kind: Config
current-context: ${quoted(cluster)}
clusters:
- name: ${quoted(cluster)}
  cluster:
    server: ${quoted(server)}
    certificate-authority-data: ${ca}
contexts:
- name: ${quoted(cluster)}
  context:
    cluster: ${quoted(cluster)}
    user: ${quoted(user)}
users:
- name: ${quoted(user)}
  user:
    token: ${quoted(token)}
`;
}
