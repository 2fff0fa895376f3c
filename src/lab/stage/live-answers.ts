// What a stage reads of the answers of real nodes: their counters, and the validators that their evidence convicts. An
// answer that is not as documented throws.

import { InvalidField } from '../../encoding/fields.ts'
import { readEvidenceReport } from '../../finality/evidence.ts'
import { quantityField, readObject } from '../../wallet/rpc-answer.ts'
import type { RpcClient } from '../../wallet/rpc-client.ts'
import type { TotalCounters } from './stage.ts'

/** The names of the validators that a list of evidence convicts. */
export function readConvicted(answer: unknown): string[] {
  if (!Array.isArray(answer)) throw new InvalidField('answer', 'expected a list')
  return answer.map(item => readEvidenceReport(item).validator.name)
}

/** What one node has counted. */
export async function readCounters(client: RpcClient): Promise<TotalCounters> {
  const method = 'quorate_counters'
  return readObject(method, await client.call(method), fields => {
    const sent = fields.object('sent')
    const kinds = sent.names().map(name => sent.object(name))
    const total = (name: string): number =>
      kinds.reduce((sum, kind) => sum + Number(quantityField(kind, name)), 0)
    return {
      messages: total('messages'),
      bytes: total('bytes'),
      hashes: Number(quantityField(fields, 'hashes')),
      signatures: Number(quantityField(fields, 'signaturesChecked')),
    }
  })
}
