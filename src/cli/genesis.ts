// `quorate genesis`: a network as a file: made, checked and shown.
// The genesis id commits to every field, so two nodes with one id play by the same rules.

import { writeFile } from 'node:fs/promises'
import { checksumAddress, parseAddress } from '../chain/address.ts'
import { formatAmount, parseAmount } from '../chain/amount.ts'
import { workOfTarget } from '../chain/compact.ts'
import { type Genesis, parseGenesis } from '../chain/genesis.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { messageOf, readGenesis } from './files.ts'
import { readAmount, readCount } from './node-option.ts'
import { table } from './output.ts'

/** What a new network is made of. */
export interface NetworkWish {
  readonly name: string
  readonly chainId: number
  readonly blockTimeSeconds: number
  /** Coins, as people write them, by address. */
  readonly accounts: Readonly<Record<string, string>>
  /** Compact target of the first blocks. */
  readonly bits: string
}

/** The JSON of a genesis file for a new network, beginning now. */
export function createGenesisFile(wish: NetworkWish): Record<string, unknown> {
  return {
    name: wish.name,
    chainId: wish.chainId,
    time: Math.floor(Date.now() / 1000),
    work: {
      bits: wish.bits,
      easiestBits: '0x1f00ffff',
      blockTimeSeconds: wish.blockTimeSeconds,
      halfLifeSeconds: wish.blockTimeSeconds * 30,
      futureLimitSeconds: 15,
    },
    blocks: { gasLimit: 30_000_000, bytesMax: 1_048_576, baseFee: '1gwei' },
    reward: { amount: '2', halvingBlocks: 1_000_000 },
    finality: { mode: 'longest-chain', depth: 256 },
    accounts: wish.accounts,
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
      default: 2,
      describe: 'Seconds between blocks that the difficulty steers toward',
    },
    bits: { type: 'string', default: '0x1e03ffff', describe: 'Compact target of the first blocks' },
    fund: {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'Account of the first state: ADDRESS=COINS',
    },
  },
  examples: [
    ['quorate genesis new lab.json --name lab --fund 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266=1000', ''],
  ],
  run: async (args, output) => {
    const accounts = Object.fromEntries(args.fund.map(readFunding))
    const chainId = readCount('--chain-id', args['chain-id'], { min: 1, max: Number.MAX_SAFE_INTEGER })
    const blockTimeSeconds = readCount('--block-time', args['block-time'], { min: 1, max: 86_400 })
    const file = createGenesisFile({ name: args.name, chainId, blockTimeSeconds, accounts, bits: args.bits })
    const genesis = parseGenesis(file)
    await writeFile(args.file, `${JSON.stringify(file, null, 2)}\n`, { flag: 'wx' }).catch(error => {
      throw new CommandError(EXIT.file, `cannot write ${args.file}: ${messageOf(error)}`)
    })
    output.data(summary(genesis), () => describe(genesis))
    return EXIT.done
  },
})

const showCommand = defineCommand({
  command: 'show <file>',
  describe: 'Check a genesis file and say what network it makes',
  positionals: { file: { type: 'string', demandOption: true, describe: 'Genesis file' } },
  run: async (args, output) => {
    const genesis = readGenesis(args.file)
    output.data(summary(genesis), () => describe(genesis))
    return EXIT.done
  },
})

/** The commands about genesis files. */
export const genesisCommand = defineGroup('genesis', 'Networks as files', [newCommand, showCommand])

function readFunding(text: string): [string, string] {
  const [name = '', amount = '', ...rest] = text.split('=')
  if (parseAddress(name) === null || parseAmount(amount) === null || rest.length > 0) {
    throw new CommandError(EXIT.usage, `--fund: expected ADDRESS=COINS, got ${text}`)
  }
  readAmount('--fund', amount)
  return [name, amount]
}

function summary(genesis: Genesis) {
  const { name, block, blocks, finality, supply, work } = genesis
  return {
    name,
    genesisId: block.id,
    chainId: Number(blocks.chainId),
    time: block.header.time,
    stateRoot: block.coinbase.stateRoot,
    finality: finality.mode,
    blockTimeSeconds: work.blockTimeSeconds,
    hashesPerBlock: workOfTarget(work.firstTarget),
    supply,
    accounts: Object.fromEntries(
      [...genesis.state.accounts()].map(([address, { balance }]) => [checksumAddress(address), balance]),
    ),
  }
}

function describe(genesis: Genesis): string {
  const {
    name,
    genesisId,
    chainId,
    time,
    stateRoot,
    finality,
    blockTimeSeconds,
    hashesPerBlock,
    supply,
    accounts,
  } = summary(genesis)
  return table([
    ['network', name],
    ['genesis id', genesisId],
    ['chain id', String(chainId)],
    ['begins', new Date(time * 1000).toISOString()],
    ['state root', stateRoot],
    ['finality', String(finality)],
    ['blocks', `every ${blockTimeSeconds} s, the first after about ${hashesPerBlock} hashes`],
    ['supply', `${formatAmount(supply)} coins in ${Object.keys(accounts).length} accounts`],
  ])
}
