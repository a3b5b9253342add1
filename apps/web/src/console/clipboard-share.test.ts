import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClipboardShare, maxClipboardBytes } from './clipboard-share.ts'

function setUp() {
  const state = { here: '', allowed: true }
  const news: string[] = []
  const share = new ClipboardShare({
    clipboard: {
      readText: async () => {
        if (!state.allowed) throw new Error('NotAllowedError')
        return state.here
      },
      writeText: async (text) => {
        if (!state.allowed) throw new Error('NotAllowedError')
        state.here = text
      },
    },
    send: (text) => news.push(`vm ${text.slice(0, 20)}`),
    problem: (problem) => news.push(problem),
  })
  return { state, news, share }
}

test('a text crosses once, and is not sent back to where it came from', async () => {
  const { state, news, share } = setUp()
  assert.equal(await share.look(), 'empty')
  state.here = 'from here'
  assert.equal(await share.look(), 'sent')
  assert.equal(await share.look(), 'same')
  assert.equal(await share.took('from the VM'), true)
  assert.equal(state.here, 'from the VM')
  assert.equal(await share.look(), 'same')
  state.here = 'from here'
  assert.equal(await share.look(), 'sent')
  assert.deepEqual(news, ['vm from here', 'vm from here'])
})

test('what the browser refuses and what is too long is said, once for each text', async () => {
  const { state, news, share } = setUp()
  state.here = 'ä'.repeat(maxClipboardBytes / 2 + 1)
  assert.equal(await share.look(), 'too_long')
  assert.equal(await share.look(), 'same')
  state.allowed = false
  assert.equal(await share.look(), 'refused')
  assert.equal(await share.took('kept by the page'), false)
  assert.deepEqual(news, ['too_long', 'refused'])
})
