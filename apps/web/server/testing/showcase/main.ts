/**
 * `node apps/web/server/testing/showcase/main.ts full|empty|setup`: starts a showcase, prints one line of JSON with its address, and obeys
 * lines on standard input: `away` and `back` (the agent), `step MS` (how long a step takes). Ends with its input.
 */
import { obeyTest } from '../told-program.ts'
import { showcaseAdmin, startShowcase } from './showcase.ts'

await obeyTest(async () => {
  const kind = process.argv[2] ?? 'full'
  if (kind !== 'full' && kind !== 'empty' && kind !== 'setup') throw new Error(`no showcase ${kind}`)
  const { test, acting, ada } = await startShowcase(kind)
  const vms = kind === 'setup' ? [] : await ada.trpc.vm.list.query()
  const ids = Object.fromEntries(vms.map(({ id, name }) => [name, id]))
  return {
    ready: { url: test.url, setupUrl: test.started.setupUrl, ...showcaseAdmin, vms: ids },
    async obey(line) {
      const [word, value] = line.split(' ')
      if (word === 'away') await test.agent.stop()
      else if (word === 'back') await test.agent.start()
      else if (word === 'step') acting.stepMs = Number(value)
      return { did: line }
    },
    async end() {
      acting.held.clear()
      await test.stop()
    },
  }
})
