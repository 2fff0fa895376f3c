// Preloaded by tests (`--import`): lets `quorate/chain` and its siblings name the sources, so that the examples run
// from a clone as they run from an installed package.

import { registerHooks } from 'node:module'

const root = new URL('../../', import.meta.url)

registerHooks({
  resolve(specifier, context, nextResolve) {
    const entry = /^quorate\/(chain|consensus|finality|lab)$/.exec(specifier)?.[1]
    return entry === undefined
      ? nextResolve(specifier, context)
      : nextResolve(new URL(`src/exports/${entry}.ts`, root).href, context)
  },
})
