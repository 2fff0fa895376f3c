// A wallet in a real browser: a page that the operator names may ask, another may not even read the refusal, and an
// extension may ask without being named. Where no browser is installed this is skipped.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type BrowserContext, chromium } from 'playwright-core'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { serve, TestNode } from './harness.ts'

const CHROMIUM = process.env.QUORATE_CHROMIUM ?? '/usr/bin/chromium'
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}; QUORATE_CHROMIUM names another`
if (skip !== false) console.log(`wallets in a browser are not tested: ${skip}`)

const CHAIN_ID = '0x4f25'
/** What a wallet does to see whether there is a node: resolves to the chain's id, or to how the browser refused it. */
const ASK = `async url => {
  try {
    const call = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(call) })
    return answer.ok ? (await answer.json()).result : 'status ' + answer.status
  } catch (error) {
    return error.name
  }
}`

/** The place of an empty page. */
async function pageServer(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>a wallet</title>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A browser with a profile of its own, and the extension in this folder if there is one. */
async function launch(t: TestContext, extension?: string): Promise<BrowserContext> {
  const loaded =
    extension === undefined
      ? []
      : [`--disable-extensions-except=${extension}`, `--load-extension=${extension}`]
  const browser = await chromium.launchPersistentContext(await temporaryDirectory(t), {
    executablePath: CHROMIUM,
    args: ['--no-sandbox', ...loaded],
    ...(extension === undefined ? {} : { ignoreDefaultArgs: ['--disable-extensions'] }),
  })
  cleanUp(t, () => browser.close())
  return browser
}

test('a page that the operator names asks a node from Chromium, and reads what it answers', {
  skip,
}, async t => {
  const origin = await pageServer(t)
  const { server } = await serve(t, new TestNode(), { allowedOrigins: [origin] })
  const page = await (await launch(t)).newPage()
  await page.goto(origin)
  assert.equal(await page.evaluate(`(${ASK})(${JSON.stringify(server.url)})`), CHAIN_ID)
})

test('a page that is not allowed gets nothing from a node in Chromium', { skip }, async t => {
  const [origin, other] = [await pageServer(t), await pageServer(t)]
  const { server } = await serve(t, new TestNode(), { allowedOrigins: [other] })
  const page = await (await launch(t)).newPage()
  await page.goto(origin)
  assert.equal(await page.evaluate(`(${ASK})(${JSON.stringify(server.url)})`), 'TypeError')
})

test('an extension of Chromium asks a node that was told nothing of it', { skip }, async t => {
  const extension = join(await temporaryDirectory(t), 'wallet')
  await mkdir(extension)
  const manifest = {
    manifest_version: 3,
    name: 'a wallet',
    version: '1.0',
    background: { service_worker: 'background.js' },
    host_permissions: ['http://127.0.0.1/*'],
  }
  await writeFile(join(extension, 'manifest.json'), JSON.stringify(manifest))
  await writeFile(
    join(extension, 'background.js'),
    'self.addEventListener("install", () => self.skipWaiting())',
  )
  const { server } = await serve(t, new TestNode())
  const browser = await launch(t, extension)
  const worker = browser.serviceWorkers()[0] ?? (await browser.waitForEvent('serviceworker'))
  assert.match(worker.url(), /^chrome-extension:\/\/[a-p]{32}\//)
  assert.equal(await worker.evaluate(`(${ASK})(${JSON.stringify(server.url)})`), CHAIN_ID)
})
