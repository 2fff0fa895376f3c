// Which clients may use the node: decided from a request's first line and headers, before a byte of its body is read.
//
// Web pages may not, unless the operator names them. Three headers are checked: a page's requests carry an Origin; a page
// whose name was rebound to 127.0.0.1 (DNS rebinding; go-ethereum #15962) shows that name as Host; and what a browser
// sends across origins without a preflight is never `application/json`. GET does nothing.
//
// Browser extensions may, since wallets are extensions. No page can forge their Origin, and a malicious extension could
// reach the node in other ways; here it can only read, and submit what was already signed.

import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'

/** Names and pages that may speak to a node. */
export interface AccessRules {
  /** Host names without port, in lower case; IPv6 in brackets. */
  readonly hosts: ReadonlySet<string>
  /** Such as `https://wallet.example`. */
  readonly origins: ReadonlySet<string>
}

/** What access looks at. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** An HTTP answer instead of a JSON-RPC one. */
export interface Refusal {
  readonly status: number
  readonly text: string
}

/** The Host names by which a node on this machine is reached. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Why a request gets no JSON-RPC answer, or null. */
export function refuseRequest(rules: AccessRules, head: RequestHead): Refusal | null {
  const { method, url, headers } = head
  if (!rules.hosts.has(hostName(headers.host ?? ''))) return refusal(403, 'this Host is not allowed')
  if (headers.origin !== undefined && !isAllowedOrigin(rules, headers.origin)) {
    return refusal(403, 'this Origin is not allowed: see --rpc-allow-origin')
  }
  if (url !== '/') return refusal(404, 'there is nothing here: JSON-RPC is at /')
  if (method !== 'POST') return refusal(405, 'quorate answers JSON-RPC: POST it to /')
  if (!isPlainJson(headers)) return refusal(415, 'expected content-type: application/json')
  return null
}

/** Whether a page that is allowed asks if it may send a request. */
export function isPreflight(rules: AccessRules, { method, headers }: RequestHead): boolean {
  const { origin } = headers
  const asks = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
  return (
    asks &&
    rules.hosts.has(hostName(headers.host ?? '')) &&
    origin !== undefined &&
    isAllowedOrigin(rules, origin)
  )
}

/** The headers that let an allowed page read answers. It never gets to send an Authorization. */
export function originHeaders(
  rules: AccessRules,
  origin: string | undefined,
): readonly (readonly [string, string])[] {
  if (origin === undefined || !isAllowedOrigin(rules, origin)) return []
  return [
    ['access-control-allow-origin', origin],
    ['access-control-allow-methods', 'POST'],
    ['access-control-allow-headers', 'content-type'],
    ['vary', 'origin'],
  ]
}

/** An Origin of an extension: Chromium's ids have 32 letters from a to p, Firefox's and Safari's are UUIDs. */
const EXTENSION =
  /^(?:chrome-extension:\/\/[a-p]{32}|(?:moz|safari-web)-extension:\/\/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/

function isAllowedOrigin(rules: AccessRules, origin: string): boolean {
  return rules.origins.has(origin) || EXTENSION.test(origin)
}

/** The origin that an operator names, as a browser writes it; null for what is none, a pattern among them. */
export function parseOrigin(text: string): string | null {
  if (EXTENSION.test(text)) return text
  const url = URL.parse(text)
  const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  return isWeb && !url.hostname.includes('*') && url.href === `${url.origin}/` ? url.origin : null
}

/** A name or address as it stands in a Host header: IPv6 in brackets. */
export function hostForm(host: string): string {
  return isIPv6(host) ? `[${host}]` : host.toLowerCase()
}

/** Whether a server that listens there can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}

function isPlainJson(headers: IncomingHttpHeaders): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  return isPlain && type.trim().toLowerCase() === 'application/json'
}

function refusal(status: number, text: string): Refusal {
  return { status, text }
}
