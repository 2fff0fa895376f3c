// `quorate mine`: makes a running node mine, a number of blocks or until it is told to stop. This needs the cookie in the
// node's folder, so only a user who may read that folder can do it.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAnyFile } from '../files/read-file.ts'
import { Keystore } from '../wallet/keystore-directory.ts'
import { RpcClient } from '../wallet/rpc-client.ts'
import { defineCommand } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { messageOf } from './file-errors.ts'
import { defaultDataDirectory, defaultKeystore } from './files.ts'
import { clientOf, nodeOptions, readAddress, readCount } from './node-option.ts'
import { createProgress } from './progress.ts'
import { type NodeStatus, readStatus } from './status.ts'

/** Milliseconds between looks at how far the node is. */
const POLL_MS = 200
const COOKIE_BYTES_MAX = 1_000

/** The command that makes a node mine. */
export const mineCommand = defineCommand({
  command: 'mine',
  describe: 'Make a running node mine, or stop mining with --stop',
  options: {
    ...nodeOptions,
    to: { type: 'string', describe: 'Address or account that receives reward and tips' },
    blocks: {
      type: 'number',
      describe: 'Mine so many blocks and wait for them',
      defaultDescription: 'until stopped',
    },
    stop: { type: 'boolean', default: false, describe: 'Stop mining' },
    data: {
      type: 'string',
      describe: 'Folder of the node, with the cookie that permits this',
      defaultDescription: '~/.quorate/NETWORK',
    },
    keystore: {
      type: 'string',
      describe: 'Folder of the key files',
      defaultDescription: '~/.quorate/keystore',
    },
  },
  examples: [['quorate mine --to alice --blocks 10', '']],
  run: async (args, output) => {
    const open = clientOf(args)
    const before = await readStatus(open)
    if (!before.isMined)
      throw new CommandError(
        EXIT.usage,
        `${before.network} has no miners: its validators make the blocks (${before.finality})`,
        'To be one of them: quorate node --validator FILE.',
      )
    const client = new RpcClient(args.rpc, {
      token: readCookie(args.data ?? defaultDataDirectory(before.network)),
    })
    if (args.stop) {
      await client.call('quorate_stopMining')
      output.data({ mining: false }, () => 'mining stopped')
      return EXIT.done
    }
    if (args.to === undefined)
      throw new CommandError(EXIT.usage, 'no beneficiary: give --to ADDRESS or --to ACCOUNT')
    const beneficiary = await readAddress(new Keystore(args.keystore ?? defaultKeystore()), args.to)
    const blocks =
      args.blocks === undefined ? null : readCount('--blocks', args.blocks, { min: 1, max: 1_000_000 })
    await client.call('quorate_mine', [beneficiary, blocks === null ? null : `0x${blocks.toString(16)}`])
    const after = blocks === null ? before : await waitForBlocks(open, blocks)
    const { height, id } = after.head
    output.data({ mining: blocks === null, beneficiary, height, head: id }, () =>
      blocks === null
        ? `mining for ${beneficiary}; stop with: quorate mine --stop`
        : `mined ${blocks} blocks; the head is ${id} at height ${height}`,
    )
    return EXIT.done
  },
})

async function waitForBlocks(client: RpcClient, blocks: number): Promise<NodeStatus> {
  const progress = createProgress('mining', blocks)
  try {
    for (;;) {
      const status = await readStatus(client)
      if (status.mining === null) return status
      progress.update(blocks - (status.mining.blocksLeft ?? 0), `height ${status.head.height}`)
      await sleep(POLL_MS)
    }
  } finally {
    progress.end()
  }
}

function readCookie(dataDirectory: string): string {
  const path = join(dataDirectory, 'rpc.cookie')
  try {
    return readAnyFile(path, COOKIE_BYTES_MAX).bytes.toString('utf8').trim()
  } catch (error) {
    throw new CommandError(
      EXIT.file,
      `cannot read the node's cookie ${path}: ${messageOf(error)}`,
      "Give the node's folder with --data.",
    )
  }
}
