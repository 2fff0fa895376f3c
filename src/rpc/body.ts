// Reading a request's body with an end to it: one that is too long is
// noticed while it comes, not after.

import type { IncomingMessage } from 'node:http'

/** The bytes of a body, or why there are none: it is too long, or its sender left. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Buffer | 'too-long' | 'aborted'> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve('too-long')
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      chunks.push(chunk)
      if (size > bytesMax) finish('too-long')
    }
    const onEnd = (): void => finish(Buffer.concat(chunks))
    const onClose = (): void => finish('aborted')
    const finish = (outcome: Buffer | 'too-long' | 'aborted'): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      chunks.length = 0
      resolve(outcome)
    }
    // An error is followed by close.
    request
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => {})
  })
}
