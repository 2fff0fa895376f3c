// `quorate node`: runs a node until it is told to stop, by SIGINT, SIGTERM or SIGHUP.
// When it is ready it says where it can be reached, as a line of JSON with --json.

import { join } from 'node:path'
import process from 'node:process'
import { lyingFinality } from '../lab/adversary/byzantine/lying-finality.ts'
import { checkAddresses } from './address-option.ts'
import { explainMismatch } from './checkpoint-option.ts'
import { defineCommand } from './command.ts'
import { explainDamage } from './damage.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readLinks } from './link-option.ts'
import { createLog } from './log.ts'
import { logHeads, logVoting, printReady } from './node-log.ts'
import { nodeRunOptions, readOrigins, readRunOptions } from './node-run-options.ts'
import { readValidatorOptions } from './validator-option.ts'
import { VERSION } from './version.ts'

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
    const { genesis, dataDirectory, beneficiary, rpcPort, mining, checkpoint } = readRunOptions(args)
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
      logHeads(node, log)
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
        if (chosen !== null) logVoting(node, log)
        printReady(
          node,
          { rpc: rpc.url, data: dataDirectory, beneficiary: args.mine ?? null, chosen },
          output,
        )
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
