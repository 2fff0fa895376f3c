// The decoders of the finality layer: what validators say, what a committee keeps, and what anybody may hand in as a proof.

import fc from 'fast-check'
import {
  decodePaxosMessage,
  decodePaxosRecord,
  encodePaxosDecision,
  encodePaxosMessage,
  encodePaxosRecord,
  readPaxosDecision,
} from '../../src/consensus/multi-paxos/wire.ts'
import { encodeCertificate, readCertificate } from '../../src/consensus/pbft/certificate-record.ts'
import { encodeEvidence, readEvidence } from '../../src/consensus/pbft/evidence-record.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import { decodePbftRecord, encodePbftRecord } from '../../src/consensus/pbft/record-wire.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import { decodePbftMessage, encodePbftMessage } from '../../src/consensus/pbft/wire.ts'
import { ByteReader, readOrNull } from '../../src/encoding/bytes.ts'
import { parseGenesis } from '../../src/execution/genesis.ts'
import { readCommitteeRecords, readStoredDecision } from '../../src/finality/committee-records.ts'
import { readEvidenceReport, verifyEvidence } from '../../src/finality/evidence.ts'
import { describeEvidence } from '../../src/finality/evidence-report.ts'
import { describeFinalityProof, readFinalityProof } from '../../src/finality/finality-proof.ts'
import { readSignatures } from '../../src/finality/protocol.ts'
import { createFinality } from '../../src/finality/registry.ts'
import { validatorsOf } from '../../src/finality/validators.ts'
import { verifyFinalityProof } from '../../src/finality/verify-proof.ts'
import { decodeMark, encodeMark, NO_VOTES } from '../../src/finality/vote-mark.ts'
import {
  decision as anyPaxosDecision,
  message as anyPaxosMessage,
  record as anyPaxosRecord,
} from '../consensus/multi-paxos/arbitraries.ts'
import { message as anyMessage, record as anyRecord } from '../consensus/pbft/arbitraries.ts'
import { decodeEnvelope, describeContent, encodeEnvelope } from '../finality/pbft-envelope.ts'
import { idOf, TestValidators } from '../finality/test-validators.ts'
import { type Target, textTarget } from './target.ts'

const messages = fc.sample(anyMessage, { seed: 1, numRuns: 60 })
const records = fc.sample(anyRecord, { seed: 2, numRuns: 30 })
const of = new TestValidators(4)
const { header } = of.genesis.block
const decision = of.certify({ phase: 'commit', sequence: 1, view: 0, value: of.genesis.block.id }, [0, 1, 2])
const signature = (text: string) =>
  of.signing(0).sign({ phase: 'commit', sequence: 1, view: 0, value: idOf(text) })
const evidence = {
  type: 'contradiction',
  member: 0,
  first: { phase: 'commit', sequence: 1, view: 0, value: idOf('a'), signature: signature('a') },
  second: { phase: 'commit', sequence: 1, view: 0, value: idOf('b'), signature: signature('b') },
} as const
const proof = describeFinalityProof({
  genesisId: of.genesis.block.id,
  chainId: of.genesis.blocks.chainId,
  validators: of.validators,
  height: 0,
  headers: [header],
  certificate: decision,
})
const report = describeEvidence(evidence, {
  genesisId: of.genesis.block.id,
  validators: of.validators,
  kit: PBFT.signed!.evidence,
})

/** The JSON of a text; null for what is none, which is for its reader to say. */
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
const whole = <T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T | null =>
  readOrNull(() => {
    const reader = new ByteReader(bytes)
    const result = read(reader)
    reader.end()
    return result
  })
const orNull = <T>(value: T | null, encode: (value: T) => Uint8Array): Uint8Array | null =>
  value === null ? null : encode(value)

export const FINALITY_TARGETS: readonly Target[] = [
  {
    covers: ['consensus/pbft/wire.ts decodePbftMessage'],
    samples: messages.map(encodePbftMessage),
    take: bytes => orNull(decodePbftMessage(bytes), encodePbftMessage),
  },
  {
    covers: ['consensus/pbft/record-wire.ts decodePbftRecord'],
    samples: records.map(encodePbftRecord),
    take: bytes => orNull(decodePbftRecord(bytes), encodePbftRecord),
  },
  {
    covers: ['consensus/multi-paxos/wire.ts decodePaxosMessage'],
    samples: fc.sample(anyPaxosMessage, { seed: 3, numRuns: 40 }).map(encodePaxosMessage),
    take: bytes => orNull(decodePaxosMessage(bytes), encodePaxosMessage),
  },
  {
    covers: ['consensus/multi-paxos/wire.ts decodePaxosRecord'],
    samples: fc.sample(anyPaxosRecord, { seed: 4, numRuns: 20 }).map(encodePaxosRecord),
    take: bytes => orNull(decodePaxosRecord(bytes), encodePaxosRecord),
  },
  {
    covers: ['consensus/multi-paxos/wire.ts readPaxosDecision'],
    samples: fc.sample(anyPaxosDecision, { seed: 5, numRuns: 20 }).map(encodePaxosDecision),
    take: bytes => orNull(whole(bytes, readPaxosDecision), encodePaxosDecision),
  },
  {
    covers: ['finality/envelope.ts decodeEnvelope'],
    samples: [
      encodeEnvelope({
        clockMs: 1e12,
        content: { type: 'hello', member: 3, signature: new Uint8Array(65).fill(1) },
      }),
      ...messages.map(message => encodeEnvelope({ clockMs: 1e12, content: { type: 'protocol', message } })),
    ],
    take: bytes => {
      const envelope = decodeEnvelope(bytes)
      if (envelope !== null) describeContent(envelope.content)
      return orNull(envelope, encodeEnvelope)
    },
  },
  {
    covers: ['finality/vote-mark.ts decodeMark'],
    samples: [NO_VOTES, { ...NO_VOTES, sequence: 2 ** 40, view: 3, hasCommitted: true, lastView: 4 }].map(
      encodeMark,
    ),
    take: bytes => orNull(decodeMark(bytes), encodeMark),
  },
  {
    covers: ['consensus/pbft/certificate-record.ts readCertificate'],
    samples: [encodeCertificate(decision)],
    take: bytes => orNull(whole(bytes, readCertificate), encodeCertificate),
  },
  {
    covers: ['finality/committee-records.ts readStoredDecision'],
    samples: [encodeCertificate(decision)],
    refusals: ['DamagedVotes'],
    take: bytes => encodeCertificate(readStoredDecision('key', bytes, PBFT.codec) as Certificate),
  },
  {
    covers: ['finality/protocol.ts readSignatures'],
    samples: [encodeCertificate(decision)],
    refusals: ['MalformedBytes'],
    take: bytes => {
      readSignatures(of.genesis, bytes)
      return 'taken'
    },
  },
  {
    covers: ['consensus/pbft/evidence-record.ts readEvidence'],
    samples: [encodeEvidence(evidence)],
    take: bytes => orNull(whole(bytes, readEvidence), encodeEvidence),
  },
  {
    covers: ['finality/committee-records.ts readCommitteeRecords'],
    samples: [encodeEvidence(evidence), encodeCertificate(decision), ...records.map(encodePbftRecord)],
    refusals: ['DamagedVotes'],
    take: bytes => {
      const key = ['vote/view', 'evidence/0', 'empty/1', 'conflict', 'voter', 'other'][bytes.length % 6]!
      readCommitteeRecords(new Map([[key, bytes]]), PBFT)
      return 'taken'
    },
  },
  textTarget(
    ['finality/finality-proof.ts readFinalityProof'],
    [JSON.stringify(proof)],
    text => {
      verifyFinalityProof(of.file, jsonOf(text))
      return readFinalityProof(jsonOf(text))
    },
    ['InvalidField'],
  ),
  textTarget(
    ['finality/evidence.ts readEvidenceReport'],
    [JSON.stringify(report)],
    text => {
      verifyEvidence(of.file, jsonOf(text))
      return readEvidenceReport(jsonOf(text))
    },
    ['InvalidField'],
  ),
  textTarget(
    [
      'execution/genesis.ts parseGenesis',
      'finality/validators.ts readValidators',
      'finality/validators.ts readValidatorName',
    ],
    [JSON.stringify(of.file)],
    text => {
      const genesis = parseGenesis(jsonOf(text))
      validatorsOf(genesis)
      return createFinality(genesis)
    },
    ['InvalidField'],
  ),
]
