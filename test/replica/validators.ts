// Networks with validators, for tests of replicas: their genesis files, the identities of their nodes, and what is said and
// proven there.

import type { BlockId } from '../../src/chain/header.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { PbftMessage, Statement } from '../../src/consensus/pbft/messages.ts'
import { answerStatement } from '../../src/consensus/pbft/recall.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import type { Signing } from '../../src/consensus/signed.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { helloDigest } from '../../src/finality/envelope.ts'
import type { Identity } from '../../src/finality/identity.ts'
import { NOBODY } from '../../src/finality/registry.ts'
import { createSigning } from '../../src/finality/signing.ts'
import { validatorsOf } from '../../src/finality/validators.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import type { Message } from '../../src/replica/messages.ts'
import { addressNumber } from '../chain/examples.ts'
import { recoverOnce } from '../finality/committees.ts'
import { encodeEnvelope } from '../finality/pbft-envelope.ts'
import { keyOf, sign } from '../finality/test-validators.ts'
import { SIMULATED_FILE, START_MS } from './small-chain.ts'
import type { TestNode } from './test-node.ts'

const SETTINGS = {
  hybrid: { mode: 'hybrid', pattern: 'all-to-all', timeoutMs: 1_000, depth: 1, interval: 1 },
  pbft: { mode: 'pbft', pattern: 'all-to-all', timeoutMs: 1_000, intervalMs: 250, heartbeatSeconds: null },
}

/** Nodes v0, v1 and so on are its validators; accounts 1 to 9 have a hundred coins each. */
export class ValidatedNetwork {
  readonly genesis: Genesis
  readonly #keys: readonly Uint8Array[]

  constructor(mode: 'hybrid' | 'pbft', n: number, settings: Record<string, unknown> = {}) {
    this.#keys = Array.from({ length: n }, (_, index) => keyOf(`v${index}`))
    const validators = this.#keys.map((key, index) => ({
      name: `v${index}`,
      address: addressOfSecretKey(key),
    }))
    const numbers = Array.from({ length: 9 }, (_, index) => index + 1)
    this.genesis = parseGenesis({
      ...SIMULATED_FILE,
      ...(mode === 'pbft' ? { work: { proof: 'none', futureLimitSeconds: 15 } } : {}),
      finality: { ...SETTINGS[mode], ...settings, validators },
      accounts: Object.fromEntries(numbers.map(number => [addressNumber(number), '100'])),
    })
  }

  /** The identity of the node of this name; one that is not v0, v1 and so on only follows. */
  identityOf(id: PeerId): Identity {
    const secretKey = id.startsWith('v') ? (this.#keys[Number(id.slice(1))] ?? null) : null
    return { ...NOBODY, peer: id, secretKey, recover: recoverOnce, sign }
  }

  certificate(value: BlockId, sequence = 1, members: readonly number[] = [1, 2, 3]): Certificate {
    const vote = { phase: 'commit', sequence, view: 0, value } as const
    const signatures = members.map(member => ({ member, signature: this.#signing(member).sign(vote) }))
    return { ...vote, signatures }
  }

  /** Lets the others answer a validator that has just started: they have decided so much, and hold no votes of its own. */
  answer(node: TestNode, decided = 0): Effect[] {
    const to = Number(node.id.slice(1))
    // The first challenge of the life that all nodes here have: see `Committee`.
    const challenge = (1 + node.nowMs) % 2 ** 16
    const content = { to, challenge, decided, votes: [], viewChange: null }
    const others = this.#keys.keys().filter(member => member !== to)
    return [...others].flatMap(from => {
      const signature = this.#signing(from).sign(answerStatement(content))
      const answer = { type: 'answer', from, ...content, signature } as const
      return node.receive(`v${from}`, this.word(answer))
    })
  }

  /** What the node of a member says first: that it speaks for this member. */
  hello(member: number): Message {
    const validatorSetId = validatorsOf(this.genesis)!.id
    const network = { chainId: this.genesis.blocks.chainId, genesisId: this.genesis.block.id, validatorSetId }
    const signature = sign(helloDigest(network, `v${member}`), this.#keys[member]!)
    const body = encodeEnvelope({ clockMs: START_MS, content: { type: 'hello', member, signature } })
    return { type: 'finality', body, block: null }
  }

  /** What a node says that shows a certificate. */
  proof(value: BlockId, sequence = 1): Message {
    return this.word({ type: 'proof', certificate: this.certificate(value, sequence) })
  }

  /** The proposal of the member whose turn it is in view 0. */
  proposal(value: BlockId, sequence = 1): PbftMessage {
    const from = sequence % this.#keys.length
    const signature = this.#signing(from).sign({ phase: 'prepare', sequence, view: 0, value })
    return { type: 'pre-prepare', sequence, view: 0, value, from, signature }
  }

  word(message: PbftMessage): Extract<Message, { type: 'finality' }> {
    const body = encodeEnvelope({ clockMs: START_MS, content: { type: 'protocol', message } })
    return { type: 'finality', body, block: null }
  }

  #signing(member: number): Signing<Statement> {
    return createSigning<Statement>(PBFT.signed!, {
      genesisId: this.genesis.block.id,
      chainId: this.genesis.blocks.chainId,
      validators: validatorsOf(this.genesis)!,
      secretKey: this.#keys[member]!,
      recover: recoverOnce,
      sign,
    })
  }
}
