// The network of a genesis file as it is simulated: with the clients' accounts, with the nodes of the run as its
// validators, and with work that is soon done.

import type { Address } from '../../chain/address.ts'
import { workOfTarget } from '../../chain/compact.ts'
import { sha256 } from '../../chain/hash.ts'
import { addressOfSecretKey } from '../../chain/signature.ts'
import type { Json } from '../../encoding/fields.ts'
import { type Genesis, parseGenesis } from '../../execution/genesis.ts'
import { type FinalityMode, sectionOf } from '../../finality/modes/mode.ts'
import { modeOf } from '../../finality/registry.ts'

/** What a run changes in its genesis file. */
export interface GenesisChanges {
  readonly clients: readonly Address[]
  readonly validators: number
  /** How votes travel; null leaves it as it is. */
  readonly pattern: string | null
  /** Whether nothing is ever retransmitted: every message arrives. */
  readonly isPatient: boolean
  /** How many times as long as the file says validators wait for each other. */
  readonly timerScale: number
  /** Transfers in a block at most; null for as many as the file allows. */
  readonly blockTransactionsMax: number | null
  /** Bytes of a block at most, and blocks until the reward is halved; null for what the file says. */
  readonly blockBytesMax: number | null
  readonly halvingBlocks: number | null
  /** Blocks by which the last final block is behind the head, where work alone decides; null for what the file says. */
  readonly depth: number | null
}

/** Milliseconds that validators wait for each other where nothing can fail: the most that there is. */
const PATIENT_MS = 600_000

/** What a transfer between accounts uses. */
const TRANSFER_GAS = 21_000

const CLIENT_BALANCE = '1000000'
/** Hashes per block that a simulation still does for real, and the targets that take the place of harder ones. */
const WORK_MAX = 1_024n
const EASY_WORK = { bits: '0x2007ffff', easiestBits: '0x207fffff' }

/** A genesis file with this mode, its settings as they are by default, and all else as in a file of another mode that mines. */
export function simulatedFile(mode: FinalityMode, base: unknown): object {
  return {
    ...(base as object),
    name: `simulated-${mode.name}`,
    forTests: true,
    ...(mode.isMined ? {} : { work: { proof: 'none', futureLimitSeconds: 15 } }),
    finality: sectionOf(mode, { validators: validatorsOf(1) }),
  }
}

/** The network, and the JSON that it comes from. */
export function prepareGenesis(file: unknown, changes: GenesisChanges): { genesis: Genesis; file: unknown } {
  const settings = file as {
    accounts?: Record<string, string>
    work?: Record<string, unknown>
    blocks?: Record<string, unknown>
    reward?: Record<string, unknown>
    finality: Record<string, Json>
  }
  const accounts = Object.fromEntries(changes.clients.map(address => [address, CLIENT_BALANCE]))
  const finality = { ...settings.finality }
  if (finality.validators !== undefined) finality.validators = validatorsOf(changes.validators)
  if (finality.pattern !== undefined && changes.pattern !== null) finality.pattern = changes.pattern
  if (finality.timeoutMs !== undefined && changes.isPatient) finality.timeoutMs = PATIENT_MS
  else if (finality.timeoutMs !== undefined)
    finality.timeoutMs = Math.round((finality.timeoutMs as number) * changes.timerScale)
  const blocks = { ...settings.blocks }
  if (changes.blockTransactionsMax !== null) blocks.gasLimit = TRANSFER_GAS * changes.blockTransactionsMax
  if (changes.blockBytesMax !== null) blocks.bytesMax = changes.blockBytesMax
  if (changes.depth !== null && !modeOf({ finality }).hasValidators) finality.depth = changes.depth
  const reward = { ...settings.reward }
  if (changes.halvingBlocks !== null) reward.halvingBlocks = changes.halvingBlocks
  const funded = { ...settings, accounts: { ...settings.accounts, ...accounts }, finality, blocks, reward }
  const genesis = parseGenesis(funded)
  if (workOfTarget(genesis.work.firstTarget) <= WORK_MAX) return { genesis, file: funded }
  const easy = { ...funded, work: { ...settings.work, ...EASY_WORK } }
  return { genesis: parseGenesis(easy), file: easy }
}

/** The key of a validator, the same in every run. */
export function validatorKey(index: number): Uint8Array {
  return sha256(new TextEncoder().encode(`quorate simulated validator ${index}`))
}

function validatorsOf(count: number): { readonly [key: string]: Json }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    address: addressOfSecretKey(validatorKey(index)),
  }))
}
