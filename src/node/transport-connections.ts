// A libp2p transport around another one, that gets hold of each connection before libp2p does: to look at what comes
// over it, or to put another one in its place.

import { type MultiaddrConnection, type Transport, transportSymbol, type Upgrader } from '@libp2p/interface'

/** What libp2p makes its transports with. */
export type TransportFactory<Components> = (components: Components) => Transport

/** The same transport, whose connections are what `exchange` makes of them; `name` is for logs. */
export function withConnections<Components>(
  createTransport: TransportFactory<Components>,
  name: string,
  exchange: (raw: MultiaddrConnection) => MultiaddrConnection,
): TransportFactory<Components> {
  return components => {
    const transport = createTransport(components)
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: name,
      dial: (address, options) =>
        transport.dial(address, { ...options, upgrader: exchanging(options.upgrader, exchange) }),
      createListener: options =>
        transport.createListener({ ...options, upgrader: exchanging(options.upgrader, exchange) }),
      listenFilter: addresses => transport.listenFilter(addresses),
      dialFilter: addresses => transport.dialFilter(addresses),
    }
  }
}

/** The upgrader is where a transport hands over its connections, so it is where they can be exchanged. */
function exchanging(
  upgrader: Upgrader,
  exchange: (raw: MultiaddrConnection) => MultiaddrConnection,
): Upgrader {
  return {
    upgradeOutbound: (raw, options) => upgrader.upgradeOutbound(exchange(raw), options),
    upgradeInbound: (raw, options) => upgrader.upgradeInbound(exchange(raw), options),
    createInboundAbortSignal: signal => upgrader.createInboundAbortSignal(signal),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
  }
}
