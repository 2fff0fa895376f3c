// Envelopes of committees that agree by PBFT, for tests.

import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import * as envelope from '../../src/finality/envelope.ts'

export type Envelope = envelope.Envelope<PbftMessage>
export type Content = envelope.Content<PbftMessage>

export const encodeEnvelope = (content: Envelope): Uint8Array =>
  envelope.encodeEnvelope<PbftMessage>(content, PBFT.codec)

export const decodeEnvelope = (bytes: Uint8Array): Envelope | null =>
  envelope.decodeEnvelope<PbftMessage>(bytes, PBFT.codec)

export const describeContent = (content: Content): string => envelope.describeContent(content, PBFT.describe)
