// `quorate node`: runs a node until it is told to stop, by SIGINT, SIGTERM or SIGHUP.
// When it is ready it says where it can be reached, as a line of JSON with --json.

import { join } from 'node:path'
import process from 'node:process'
import type { Logger } from 'pino'
import { parseAddress } from '../chain/address.ts'
import type { AgreementReport } from '../finality/contract.ts'
import { lyingFinality } from '../lab/adversary/byzantine/lying-finality.ts'
import { guarded } from '../node/guarded.ts'
import type { Node } from '../node/node.ts'
import { parseOrigin } from '../rpc/access.ts'
import { addressOptions, checkAddresses } from './address-option.ts'
import { checkpointOption, explainMismatch, readCheckpoint } from './checkpoint-option.ts'
import { defineCommand } from './command.ts'
import { explainDamage } from './damage.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { defaultDataDirectory, packagedGenesis, readGenesis } from './files.ts'
import { linkOptions, readLinks } from './link-option.ts'
import { createLog, LOG_LEVELS } from './log.ts'
import { readCount } from './node-option.ts'
import { type Output, table } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { type ChosenValidator, readValidatorOptions, validatorOptions } from './validator-option.ts'
import { VERSION } from './version.ts'

/** The options by which a node is started; `quorate net` passes them on. */
export const nodeRunOptions = {
  genesis: {
    type: 'string',
    describe: 'Genesis file of the network',
    defaultDescription: 'genesis/local.json',
  },
  data: {
    type: 'string',
    describe: 'Folder for chain and identity',
    defaultDescription: '~/.quorate/NETWORK',
  },
  ...addressOptions,
  mdns: { type: 'boolean', default: false, describe: 'Find nodes of the local network by multicast' },
  'limit-loopback': {
    type: 'boolean',
    default: false,
    describe: 'Limit connections of addresses of this machine as those of others',
  },
  'rpc-port': { type: 'number', default: 8545, describe: 'Port for wallets; 0 takes a free one' },
  'rpc-host': {
    type: 'string',
    default: '127.0.0.1',
    describe: 'Address for wallets; any other than loopback opens the node to others',
  },
  'rpc-allow-host': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Host name by which the node may be asked',
  },
  'rpc-allow-origin': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Web page that may ask, such as https://wallet.example; wallets in a browser may without it',
  },
  ...checkpointOption,
  ...linkOptions,
  ...validatorOptions,
  mine: {
    type: 'string',
    describe:
      'Mine for this address; where blocks are not mined, the address that gets what a validator earns',
  },
  threads: {
    type: 'number',
    describe: 'Threads that mine',
    defaultDescription: 'one less than there are cores',
  },
  throttle: {
    type: 'number',
    default: 1,
    describe: 'Share of its time that a thread mines, above 0 and up to 1',
  },
  log: { type: 'string', choices: LOG_LEVELS, default: 'info', describe: 'What is said on stderr' },
} as const

/** The node's command. */
export const nodeCommand = defineCommand({
  command: 'node',
  describe: 'Run a node',
  options: nodeRunOptions,
  examples: [
    ['quorate node --mine 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', 'the local network, mining'],
    ['quorate node --data /tmp/two --rpc-port 8546 --peer /ip4/127.0.0.1/tcp/…/p2p/…', 'a second node'],
    ['quorate node --genesis genesis/pbft.json --validator known.key', 'the only validator of a network'],
  ],
  run: async (args, output) => {
    await checkAddresses(args)
    const { genesis, dataDirectory, beneficiary, rpcPort, mining, checkpoint } = readOptions(args)
    const allowedOrigins = readOrigins(args['rpc-allow-origin'])
    const links = readLinks(args, genesis)
    const chosen = await readValidatorOptions(args, genesis)
    if (beneficiary !== null && chosen === null && !genesis.work.isProved)
      throw new CommandError(
        EXIT.usage,
        `--mine: ${genesis.name} has no miners; its validators make the blocks`,
        'With --validator FILE, --mine is the address that gets what the validator earns.',
      )
    const log = createLog(args.log, output.isJson)
    // Loaded here, so that every other command starts without them.
    const [{ Node: LoadedNode }, { RpcServer }, { CutOff }, { slowLinks }] = await Promise.all([
      import('../node/node.ts'),
      import('../rpc/server.ts'),
      import('../lab/links/cut-off.ts'),
      import('../lab/links/slow-links.ts'),
    ])
    const cut = new CutOff()
    const { listen, peer: bootstrap, mdns } = args
    const explain = (error: unknown): never => {
      const chainDirectory = join(dataDirectory, 'chain')
      throw explainMismatch(explainDamage(error, chainDirectory), chainDirectory)
    }
    const node = await LoadedNode.open({
      genesis,
      dataDirectory,
      listen,
      bootstrap,
      mdns,
      limitLoopback: args['limit-loopback'],
      ...(links === null ? {} : { wrapConnection: slowLinks(links, log) }),
      mayConnect: peer => cut.mayConnect(peer),
      version: VERSION,
      mining,
      ...(chosen === null ? {} : { validator: chosen.options }),
      ...(chosen === null || chosen.byzantine === null
        ? {}
        : { createFinality: lyingFinality({ role: chosen.byzantine, accomplices: [] }) }),
      ...(checkpoint === null ? {} : { checkpoint }),
      log,
    }).catch(explain)
    try {
      const stopped = nextStop(node.failed)
      tellOfHeads(node, log)
      const allowedHosts = args['rpc-allow-host']
      const where = {
        host: args['rpc-host'],
        port: rpcPort,
        allowedHosts,
        allowedOrigins,
        cookieDirectory: dataDirectory,
      }
      const rpc = await RpcServer.open(node, { ...where, log, controlMethods: cut.methods(node) })
      try {
        if (beneficiary !== null) node.setMining(beneficiary, null)
        if (chosen !== null) tellOfVotes(node, log)
        sayReady(node, { rpc: rpc.url, data: dataDirectory, beneficiary: args.mine ?? null, chosen }, output)
        log.info(`stopping: ${await stopped}`)
      } finally {
        await rpc.close()
      }
    } catch (error) {
      explain(error)
    } finally {
      await node.close()
    }
    return EXIT.done
  },
})

/** The pages that may ask, as browsers name them. Ends the command when one is none. */
function readOrigins(texts: readonly string[]): string[] {
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

/** The options that need a closer look; ends the command when one makes no sense. */
function readOptions(args: {
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
    throw new CommandError(EXIT.usage, `--mine: ${args.mine} is no address`)
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

function sayReady(
  node: Node,
  started: { rpc: string; data: string; beneficiary: string | null; chosen: ChosenValidator | null },
  output: Output,
): void {
  const { rpc, data, beneficiary, chosen } = started
  const { name, blocks, finality, work } = node.replica.genesis
  const peers = node.multiaddrs()
  const mode = [finality.mode, finality.pattern].filter(word => word !== undefined).join(', ')
  const validator = chosen?.validator.name ?? null
  output.data({ ready: true, network: name, rpc, peers, data, validator, pid: process.pid }, () =>
    table([
      ['network', `${name} (chain id ${blocks.chainId}, ${mode})`],
      ...(chosen === null ? [] : [['validator', describeValidator(node, chosen)] as const]),
      ['rpc', rpc],
      ...peers.map((address): [string, string] => ['peer address', address]),
      ['data', data],
      work.isProved
        ? ['mining', beneficiary ?? 'no']
        : ['rewards', beneficiary ?? (chosen === null ? 'no' : 'to the address of the validator')],
    ]),
  )
}

function describeValidator(node: Node, { validator, byzantine }: ChosenValidator): string {
  const { name, address } = validator
  const report = node.finalityReport()
  const place = report === null ? '' : ` of ${report.validators.length}, ${report.quorum} decide`
  const lie = byzantine === null ? '' : `; it lies on purpose: ${byzantine}`
  return `${name} (${address})${place}${lie}${describeVoting(report)}`
}

function describeVoting(report: AgreementReport | null): string {
  if (report === null || report.muted === null) return ''
  return report.self === null
    ? '; IT DOES NOT VOTE, see the log'
    : '; it votes once the others have told it of its own votes'
}

/** Says in the log when a validator begins to vote, and what it waits for until then. */
function tellOfVotes(node: Node, log: Logger): void {
  let isAsking = false
  let looks = 0
  const look = (): void => {
    const report = node.finalityReport()
    if (report === null) return
    const wasAsking = isAsking
    isAsking = report.self !== null && report.muted !== null
    if (isAsking && !wasAsking) log.info(`this validator does not vote yet: ${report.muted}`)
    if (wasAsking && report.muted === null) log.info('this validator votes now')
    looks = isAsking ? looks + 1 : 0
    if (looks % WAIT_LOOKS !== WAIT_LOOKS - 1) return
    const missing = report.validators.filter(({ isLinked }) => !isLinked).map(({ name }) => name)
    const reach = `not connected: ${missing.length === 0 ? 'none' : missing.join(', ')}`
    log.warn(`this validator still asks for its own votes; it takes ${report.quorum - 1} others; ${reach}`)
  }
  look()
  setInterval(guarded(log, 'looking at the votes', look), LOOK_MS).unref()
}

/** Milliseconds between two looks at whether a validator votes, and looks until it is said again that it does not. */
const LOOK_MS = 500
const WAIT_LOOKS = 20

/** Says in the log what the node follows; while it catches up, a bar on the terminal takes the place of the lines. */
function tellOfHeads(node: Node, log: Logger): void {
  let bar: Progress | null = null
  node.onHead(({ height, id, reorganised }) => {
    const behind = node.syncProgress()
    if (behind !== null) {
      // The log may be lines of JSON, or of a level that leaves this out.
      bar ??= createProgress('catching up', behind.target, { say: line => log.info(line) })
      return bar.update(height, 'blocks', behind.target)
    }
    bar?.end()
    bar = null
    if (reorganised === 0) log.info({ height, id }, 'new head')
    else log.warn({ height, id, reorganised }, 'the head moved to another branch')
  })
  const isNews = node.finalityReport() !== null && node.replica.finality.followsWork
  node.onFinal(({ height, id }) => log[isNews ? 'info' : 'debug']({ height, id }, 'final'))
}

/**
 * Resolves with the reason when the node is told to stop, or the program that started it with a channel has ended; rejects
 * when a fault has stopped it.
 */
function nextStop(failed: Promise<never>): Promise<string> {
  const signal = new Promise<string>(resolve => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve(name))
    if (process.send === undefined) return
    const reason = 'the program that started it has ended'
    if (process.connected) process.once('disconnect', () => resolve(reason))
    else resolve(reason)
    process.channel?.unref()
  })
  return Promise.race([signal, failed])
}
