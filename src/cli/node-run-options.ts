// The options by which a node is started.
// Those with rules of their own are in address-option.ts, checkpoint-option.ts, link-option.ts and validator-option.ts.

import { parseAddress } from '../chain/address.ts'
import { parseOrigin } from '../rpc/access.ts'
import { addressOptions } from './address-option.ts'
import { checkpointOption, readCheckpoint } from './checkpoint-option.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { defaultDataDirectory, packagedGenesis, readGenesis } from './files.ts'
import { linkOptions } from './link-option.ts'
import { LOG_LEVELS } from './log.ts'
import { readCount } from './node-option.ts'
import { validatorOptions } from './validator-option.ts'

/** The options of `quorate node`. */
export const nodeRunOptions = {
  genesis: {
    type: 'string',
    describe: 'Genesis file of the network',
    defaultDescription: 'genesis/local.json',
  },
  data: {
    type: 'string',
    describe: 'Folder of the chain and the identity of the node',
    defaultDescription: '~/.quorate/NETWORK',
  },
  ...addressOptions,
  mdns: { type: 'boolean', default: false, describe: 'Find nodes of the local network by multicast' },
  'limit-loopback': {
    type: 'boolean',
    default: false,
    describe: 'Apply the limits of connections to addresses of this machine too',
  },
  'rpc-port': {
    type: 'number',
    default: 8545,
    describe: 'Port of the RPC server, for wallets; 0 takes a free one',
  },
  'rpc-host': {
    type: 'string',
    default: '127.0.0.1',
    describe: 'Address of the RPC server; any other than loopback opens it to other machines',
  },
  'rpc-allow-host': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Host name that RPC requests may use',
  },
  'rpc-allow-origin': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe:
      'Origin of a web page that may use the RPC, such as https://wallet.example; browser extensions may without it',
  },
  ...checkpointOption,
  ...linkOptions,
  ...validatorOptions,
  mine: {
    type: 'string',
    describe:
      'Mine for this address; where blocks are not mined, the address that receives the rewards of the validator',
  },
  threads: {
    type: 'number',
    describe: 'Threads that mine',
    defaultDescription: 'one less than there are cores',
  },
  throttle: {
    type: 'number',
    default: 1,
    describe: 'Share of time that each thread mines, above 0 and up to 1',
  },
  log: { type: 'string', choices: LOG_LEVELS, default: 'info', describe: 'Level of the log on stderr' },
} as const

/** Checks and reads the options that are not used as they are; ends the command when one is invalid. */
export function readRunOptions(args: {
  genesis: string | undefined
  data: string | undefined
  mine: string | undefined
  threads: number | undefined
  throttle: number
  'rpc-port': number
  checkpoint: string | undefined
}) {
  const checkpoint = readCheckpoint(args.checkpoint)
  const beneficiary = args.mine === undefined ? null : parseAddress(args.mine)
  if (args.mine !== undefined && beneficiary === null)
    throw new CommandError(EXIT.usage, `--mine: ${args.mine} is not an address`)
  const { throttle } = args
  if (!(throttle > 0 && throttle <= 1))
    throw new CommandError(EXIT.usage, '--throttle: expected a number above 0 and up to 1')
  const threads =
    args.threads === undefined ? {} : { threads: readCount('--threads', args.threads, { min: 1, max: 256 }) }
  const rpcPort = readCount('--rpc-port', args['rpc-port'], { min: 0, max: 65_535 })
  const genesis = readGenesis(args.genesis ?? packagedGenesis('local'))
  const dataDirectory = args.data ?? defaultDataDirectory(genesis.name)
  return { genesis, dataDirectory, beneficiary, rpcPort, mining: { ...threads, throttle }, checkpoint }
}

/** The web origins that may use the RPC. Ends the command when one is malformed. */
export function readOrigins(texts: readonly string[]): string[] {
  return texts.map(text => {
    const origin = parseOrigin(text)
    if (origin === null)
      throw new CommandError(
        EXIT.usage,
        `--rpc-allow-origin: expected a page such as https://wallet.example, got ${text}`,
      )
    return origin
  })
}
