// Attacks on the places that a node has for those who connect to it. Each takes the address and the genesis block of its
// target, needs no key, and goes on until the test ends.

import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import type { Genesis } from '../../src/execution/genesis.ts'
import { cleanUp } from '../cleanup.ts'
import { RawPeer } from '../node/raw-peer.ts'
import { STRANGERS_ADDRESS } from './stranger.ts'

/** A node that is attacked. */
export interface SlotsTarget {
  /** A multiaddr with a TCP port and a peer id. */
  readonly address: string
  readonly genesis: Genesis
}

/**
 * Takes inbound places: so many identities of one address (another one of the loopback interface than honest peers have),
 * each of which shakes hands and stays. Resolves to those that were let in, some of which may have been put out again.
 */
export async function attackSlots(
  t: TestContext,
  { address, genesis }: SlotsTarget,
  { identities = 47, from = STRANGERS_ADDRESS } = {},
): Promise<RawPeer[]> {
  const peers: RawPeer[] = []
  for (let count = 0; count < identities; count++) {
    const peer = await RawPeer.connect(t, address, undefined, undefined, from).catch(() => null)
    if (peer === null) continue
    peer.greet({ replica: { genesis } })
    peers.push(peer)
  }
  return peers
}

/**
 * Takes inbound places with so many identities, each of which shakes hands, stays, and comes back under another name as soon as
 * it is put out. Resolves when all have come; `returns` is how often they came back.
 */
export async function attackSlotsAgain(
  t: TestContext,
  { address, genesis }: SlotsTarget,
  { identities = 60, from = STRANGERS_ADDRESS } = {},
): Promise<{ readonly returns: () => number }> {
  let [returns, isOver] = [0, false]
  cleanUp(t, () => {
    isOver = true
  })
  const come = async (): Promise<void> => {
    const peer = await RawPeer.connect(t, address, undefined, undefined, from).catch(() => null)
    peer?.greet({ replica: { genesis } })
    const gone = peer?.closed ?? new Promise(resolve => setTimeout(resolve, 60))
    void gone.then(async () => {
      await peer?.network.stop()
      if (isOver) return
      returns += 1
      await come()
    })
  }
  for (let count = 0; count < identities; count++) await come()
  return { returns: () => returns }
}

/** Opens so many sockets that say nothing, and each anew as soon as it is closed. Resolves when all are open or closed. */
export async function attackSilentSockets(
  t: TestContext,
  { address }: Pick<SlotsTarget, 'address'>,
  { sockets = 100, from = STRANGERS_ADDRESS } = {},
): Promise<{ readonly opened: () => number }> {
  const { host, port } = hostAndPort(address)
  const live = new Map<number, ReturnType<typeof connect>>()
  let [opened, isOver] = [0, false]
  const open = (index: number): Promise<void> =>
    new Promise(resolve => {
      const socket = connect({ host, port, localAddress: from })
      live.set(index, socket)
      socket.on('error', () => {})
      // What the target says first is read, so that its end is seen too.
      socket.resume()
      socket.once('connect', () => {
        opened += 1
        resolve()
      })
      socket.once('close', () => {
        live.delete(index)
        resolve()
        if (!isOver) setTimeout(() => void (isOver || open(index)), 20).unref()
      })
    })
  cleanUp(t, () => {
    isOver = true
    for (const socket of live.values()) socket.destroy()
  })
  await Promise.all(Array.from({ length: sockets }, (_, index) => open(index)))
  return { opened: () => opened }
}

function hostAndPort(address: string): { host: string; port: number } {
  const [ip, tcp] = multiaddr(address).getComponents()
  return { host: ip?.value ?? '', port: Number(tcp?.value) }
}
