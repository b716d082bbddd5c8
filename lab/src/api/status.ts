// SPDX-License-Identifier: Apache-2.0

/** One cause in a Status' details. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** What a Status says of the object concerned, fields in the order the real server has. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly StatusCause[];
}

/** An answer other than success: a Kubernetes Status object with its HTTP status. */
export class ApiStatus extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The JSON body. */
  body(): string {
    const { message, reason, details, code } = this;
    const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
    const rest = details === undefined ? {} : { details };
    return `${JSON.stringify({ ...head, message, reason, ...rest, code })}\n`;
  }
}

/** 400 with a message. */
export function badRequest(message: string): ApiStatus {
  return new ApiStatus(400, 'BadRequest', message);
}

/** 404 for a named object. */
export function notFound(what: Named): ApiStatus {
  const message = `${qualified(what)} "${what.name}" not found`;
  const group = what.group === '' ? {} : { group: what.group };
  const details = { name: what.name, ...group, kind: what.resource };
  return new ApiStatus(404, 'NotFound', message, details);
}

/** 404 for a resource the server does not have. */
export function unknownResource(): ApiStatus {
  const message = 'the server could not find the requested resource';
  return new ApiStatus(404, 'NotFound', message, {});
}

/** 405 for a verb the resource does not have. */
export function methodNotAllowed(): ApiStatus {
  const message = 'the server does not allow this method on the requested resource';
  return new ApiStatus(405, 'MethodNotAllowed', message, {});
}

/** 401: a credential nobody knows. */
export function unauthorized(): ApiStatus {
  return new ApiStatus(401, 'Unauthorized', 'Unauthorized');
}

/** 422 for an object that is not valid, one cause or several. */
export function invalid(kind: string, name: string, causes: readonly StatusCause[]): ApiStatus {
  const said = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  const message = `${kind} "${name}" is invalid: ${list}`;
  return new ApiStatus(422, 'Invalid', message, { name, kind, causes });
}

/** An object of a resource, for messages. */
export interface Named {
  readonly group: string;
  readonly resource: string;
  readonly name: string;
}

/** `pods`, or `deployments.apps` where the resource has a group. */
export function qualified(what: { readonly group: string; readonly resource: string }): string {
  return what.group === '' ? what.resource : `${what.resource}.${what.group}`;
}
