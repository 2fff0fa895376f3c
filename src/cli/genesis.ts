// `quorate genesis`: a network as a file: made, checked and shown.
// The genesis id commits to every field, so two nodes with one id play by the same rules.

import { checksumAddress, parseAddress } from '../chain/address.ts'
import { formatAmount, parseAmount } from '../chain/amount.ts'
import { workOfTarget } from '../chain/compact.ts'
import { InvalidField } from '../encoding/fields.ts'
import { type Genesis, parseGenesis } from '../execution/genesis.ts'
import { LONGEST_CHAIN } from '../finality/modes/longest-chain.ts'
import { type FinalitySection, sectionOf } from '../finality/modes/mode.ts'
import { protocolOf } from '../finality/protocol.ts'
import { createFinality, modeOf } from '../finality/registry.ts'
import { validatorsOf } from '../finality/validators.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readGenesis, writeJson } from './files.ts'
import { finalityDetailOptions, readFinality } from './finality-option.ts'
import { readAmount, readCount } from './node-option.ts'
import { table } from './output.ts'

/** What a new network is made of. */
export interface NewNetwork {
  readonly name: string
  readonly chainId: number
  readonly blockTimeSeconds: number
  /** Coins, as people write them, by address. */
  readonly accounts: Readonly<Record<string, string>>
  /** Compact target of the first blocks. */
  readonly bits: string
  /** The finality section; the longest chain unless given. */
  readonly finality?: FinalitySection
  /** Whether nodes may be told to misbehave. */
  readonly forTests?: boolean
}

/** The JSON of a genesis file for a new network, beginning now. */
export function createGenesisFile(network: NewNetwork): Record<string, unknown> {
  const { finality = sectionOf(LONGEST_CHAIN) } = network
  return {
    name: network.name,
    ...(network.forTests === true ? { forTests: true } : {}),
    chainId: network.chainId,
    time: Math.floor(Date.now() / 1000),
    work: modeOf({ finality }).isMined
      ? {
          bits: network.bits,
          easiestBits: '0x1f00ffff',
          blockTimeSeconds: network.blockTimeSeconds,
          halfLifeSeconds: network.blockTimeSeconds * 30,
          futureLimitSeconds: 15,
        }
      : { proof: 'none', futureLimitSeconds: 15 },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality,
    accounts: network.accounts,
  }
}

const newCommand = defineCommand({
  command: 'new <file>',
  describe: 'Write the genesis file of a new network',
  positionals: { file: { type: 'string', demandOption: true, describe: 'File to write; it must not exist' } },
  options: {
    name: { type: 'string', default: 'private', describe: 'Name of the network' },
    'chain-id': { type: 'number', default: 20_263, describe: 'Chain id that wallets sign for (EIP-155)' },
    'block-time': {
      type: 'number',
      describe: 'Target seconds between blocks',
      defaultDescription: '2',
    },
    bits: {
      type: 'string',
      describe: 'Compact target of the first blocks',
      defaultDescription: '0x1e03ffff',
    },
    fund: {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'Account of the genesis state: ADDRESS=COINS',
    },
    ...finalityDetailOptions,
    'for-tests': {
      type: 'boolean',
      default: false,
      describe: 'Mark as a test network: its nodes may be told to lie and to cut connections',
    },
  },
  examples: [
    ['quorate genesis new lab.json --name lab --fund 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266=1000', ''],
    ['quorate genesis new lab.json --finality pbft --validator ada=0x… --validator ben=0x…', ''],
  ],
  run: async (args, output) => {
    const accounts = Object.fromEntries(args.fund.map(readFunding))
    const chainId = readCount('--chain-id', args['chain-id'], { min: 1, max: Number.MAX_SAFE_INTEGER })
    const finality = readFinality(args)
    const mining =
      args['block-time'] !== undefined ? '--block-time' : args.bits === undefined ? null : '--bits'
    if (mining !== null && !modeOf({ finality }).isMined)
      throw new CommandError(EXIT.usage, `${mining}: not for ${finality.mode}`, 'Its blocks are not mined.')
    const blockTimeSeconds = readCount('--block-time', args['block-time'] ?? 2, { min: 1, max: 86_400 })
    const { name, bits = '0x1e03ffff' } = args
    const network = { name, chainId, blockTimeSeconds, accounts, bits, finality, forTests: args['for-tests'] }
    const file = createGenesisFile(network)
    const genesis = checkGenesis(file)
    await writeJson(args.file, file)
    output.data(summary(genesis), () => describe(genesis))
    return EXIT.done
  },
})

const showCommand = defineCommand({
  command: 'show <file>',
  describe: 'Check a genesis file and describe its network',
  positionals: { file: { type: 'string', demandOption: true, describe: 'Genesis file' } },
  run: async (args, output) => {
    const genesis = readGenesis(args.file)
    output.data(summary(genesis), () => describe(genesis))
    return EXIT.done
  },
})

/** The commands about genesis files. */
export const genesisCommand = defineGroup('genesis', 'Make and check genesis files', [
  newCommand,
  showCommand,
])

/** The network that a file makes. Ends the command, naming the field, when the options make none. */
function checkGenesis(file: unknown): Genesis {
  try {
    const genesis = parseGenesis(file)
    createFinality(genesis)
    return genesis
  } catch (error) {
    if (error instanceof InvalidField) throw new CommandError(EXIT.usage, `no network: ${error.message}`)
    throw error
  }
}

function readFunding(text: string): [string, string] {
  const [name = '', amount = '', ...rest] = text.split('=')
  if (parseAddress(name) === null || parseAmount(amount) === null || rest.length > 0) {
    throw new CommandError(EXIT.usage, `--fund: expected ADDRESS=COINS, got ${text}`)
  }
  readAmount('--fund', amount)
  return [name, amount]
}

function summary(genesis: Genesis) {
  const { name, forTests, block, blocks, finality, supply, work } = genesis
  const validators = validatorsOf(genesis)
  const protocol = protocolOf(genesis)
  return {
    name,
    forTests,
    genesisId: block.id,
    chainId: Number(blocks.chainId),
    time: block.header.time,
    stateRoot: block.coinbase.stateRoot,
    finality: modeOf({ finality }).name,
    // Null where blocks are not mined.
    blockTimeSeconds: work.isProved ? work.blockTimeSeconds : null,
    hashesPerBlock: work.isProved ? workOfTarget(work.firstTarget) : null,
    // Null where there are no validators.
    validators:
      validators?.validators.map(({ name, address }) => ({ name, address: checksumAddress(address) })) ??
      null,
    quorum: protocol?.model.quorum(validators!.size) ?? null,
    faultsTolerated: protocol?.model.tolerated(validators!.size) ?? null,
    supply,
    accounts: Object.fromEntries(
      [...genesis.state.accounts()].map(([address, { balance }]) => [checksumAddress(address), balance]),
    ),
  }
}

function describe(genesis: Genesis): string {
  const network = summary(genesis)
  const { blockTimeSeconds, hashesPerBlock } = network
  const mode = modeOf(genesis)
  return table([
    [
      'network',
      network.forTests ? `${network.name}, for tests: its nodes may be told to misbehave` : network.name,
    ],
    ['genesis id', network.genesisId],
    ['chain id', String(network.chainId)],
    ['begins', new Date(network.time * 1000).toISOString()],
    ['state root', network.stateRoot],
    ['finality', mode.describe(genesis.finality)],
    ...describeValidators(network.validators, network.quorum, network.faultsTolerated),
    [
      'blocks',
      mode.describePace(genesis.finality) ??
        `mined, every ${blockTimeSeconds} s, the first after about ${hashesPerBlock} hashes`,
    ],
    ['supply', `${formatAmount(network.supply)} coins in ${Object.keys(network.accounts).length} accounts`],
  ])
}

function describeValidators(
  validators: readonly { readonly name: string; readonly address: string }[] | null,
  quorum: number | null,
  faults: number | null,
): [string, string][] {
  if (validators === null) return []
  const n = validators.length
  const tolerance =
    faults === 0
      ? `no liar is tolerated (that takes 4), and finality stops when ${n === 1 ? 'it' : 'any of them'} is down`
      : `f = ${faults}: up to ${faults} may lie or be down`
  return [
    ...validators.map(({ name, address }): [string, string] => ['validator', `${name}  ${address}`]),
    ['quorum', `${quorum} of ${n}; ${tolerance}`],
  ]
}
