import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOptions, checkAddresses } from '../../src/cli/address-option.ts'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'

const LISTEN = addressOptions.listen.default
const ID = '12D3KooWC2kiEn96Rc4YnJthjPpnjpu4XBRQaHmRPAg1qex8pw4N'

test('a node may be told where to listen and what to connect to', async () => {
  await checkAddresses({ listen: LISTEN, peer: [] })
  await checkAddresses({
    listen: ['/ip4/0.0.0.0/tcp/30303', '/ip6/::/tcp/0'],
    peer: ['/ip4/192.0.2.1/tcp/30303', `/dns/node.example/tcp/1/p2p/${ID}`],
  })
})

for (const [option, text, reason] of [
  ['--peer', '/ip4/192.0.2.1/tcp/30303/ws', /nothing but \/p2p and a peer id may come after the port/],
  ['--peer', '192.0.2.1:30303', /must begin with/],
  ['--peer', '/ip4/192.0.2.1/tcp/0', /port/],
  ['--peer', '/dns4/a/foo/tcp/1', /after the host come \/tcp and a port/],
  ['--peer', `/p2p/${ID}`, /must begin with/],
  ['--peer', '', /must begin with/],
  ['--listen', '30303', /must begin with/],
  ['--listen', '/ip4/0.0.0.0/udp/30303/quic-v1', /only TCP is spoken/],
  ['--listen', '/ip4/0.0.0.0/tcp/30303/ws', /nothing but \/p2p/],
  ['--listen', '/dns4/localhost/tcp/30303', /begin with one of \/ip4, \/ip6$/],
] as const)
  test(`what is no address is a mistake of usage, told with what was given: ${option} ${text}`, async () => {
    const args = option === '--peer' ? { listen: LISTEN, peer: [text] } : { listen: [text], peer: [] }
    await assert.rejects(checkAddresses(args), (error: unknown) => {
      assert.ok(error instanceof CommandError)
      assert.equal(error.code, EXIT.usage)
      assert.ok(
        error.message.startsWith(`${option}: ${JSON.stringify(text)} is not an address such as /ip4/`),
      )
      assert.match(error.message, reason)
      return true
    })
  })
