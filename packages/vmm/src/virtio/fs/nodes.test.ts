import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Identity, NodeTable } from './nodes.ts'

const file = (inodeLow: number): Identity => ({ inodeLow, inodeHigh: 0, device: 1 })

test('a guest that never forgets: the oldest names that nothing hangs on go, the folder and what is open stay', () => {
  const table = new NodeTable(300)
  const { root } = table
  const folder = table.found(root, 'folder', file(2))!
  const inner = table.found(folder, 'inner', file(3))!
  const open = table.found(root, 'open', file(4))!
  inner.handles.add(1)
  open.handles.add(2)
  const first = table.found(root, 'first', file(5))!
  for (let i = 0; i < 5000; i++) {
    const node = table.found(i % 2 ? folder : root, `name${i}`, file(100 + i))!
    assert.equal(table.path(node), i % 2 ? `folder/name${i}` : `name${i}`)
    assert.ok(table.count <= 300)
  }
  assert.equal(table.get(first.id), undefined)
  for (const node of [root, folder, inner, open]) assert.equal(table.get(node.id), node)
  assert.notEqual(table.found(root, 'first', file(5))!.id, first.id)
})

test('when something hangs on all of them there is no room', () => {
  const table = new NodeTable(10)
  for (let i = 0; i < 9; i++) table.found(table.root, `n${i}`, file(i))!.handles.add(i)
  assert.equal(table.found(table.root, 'one more', file(99)), undefined)
})

test('names move, with all below them; what would lie in itself has no place', () => {
  const table = new NodeTable()
  const { root } = table
  const a = table.found(root, 'a', file(1))!
  const b = table.found(a, 'b', file(2))!
  const c = table.found(b, 'c', file(3))!
  table.moved(a, 'b', root, 'x')
  assert.equal(table.path(c), 'x/c')
  table.exchanged(root, 'a', root, 'x')
  assert.deepEqual([table.path(a), table.path(c)], ['x', 'a/c'])
  table.moved(root, 'a', b, 'self')
  assert.deepEqual([table.path(b), table.path(c)], [undefined, undefined])
  const again = table.found(root, 'a', file(4))!
  table.moved(root, 'a', root, 'x')
  assert.deepEqual([table.path(a), table.path(again)], [undefined, 'x'])
})

test('a node lives while it is known, open, or a folder with such in it', () => {
  const table = new NodeTable()
  const { root } = table
  const a = table.found(root, 'a', file(1))!
  table.found(root, 'a', file(1))
  const b = table.found(a, 'b', file(2))!
  table.forget(a.id, 2)
  assert.equal(table.count, 3)
  b.handles.add(7)
  table.forget(b.id, 1)
  assert.equal(table.count, 3)
  b.handles.delete(7)
  table.dropIfUnused(b)
  assert.equal(table.count, 1)
  table.forget(12345, 1)
  table.forget(root.id, 1_000_000)
  assert.equal(table.get(root.id), root)
})

test('from a snapshot somebody changed, no name is taken that a guest could not give', () => {
  const table = new NodeTable()
  const saved = ['..', '../../etc/shadow', 'a/b', '', 'right'].map((name, i) => ({
    ...{ id: 2 + i, parent: 1, name, lookups: 1 },
    identity: [i, 0, 1] as [number, number, number],
  }))
  table.restore(saved)
  assert.deepEqual(
    saved.map(({ id }) => table.path(table.get(id)!)),
    [undefined, undefined, undefined, undefined, 'right'],
  )
})
