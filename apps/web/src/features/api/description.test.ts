import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes } from '../../../server/rest/api.ts'
import { openApi } from '../../../server/rest/openapi.ts'
import { curlOf, type Description, fieldsOf, grouped, limitsOf, operationsOf, typeOf } from './description.ts'

const description = openApi(routes, '1.0.0', 'http://box:8080') as unknown as Description
const operations = operationsOf(description)
const operation = (method: string, path: string) =>
  operations.find((each) => each.method === method && each.path === path)!
const words = {
  or: ' or ',
  listOf: (item: string) => `list of ${item}`,
  mapOf: (item: string) => `map of ${item}`,
  any: 'anything',
}
const limitWords = {
  range: (from?: number, to?: number) => `${from}..${to}`,
  letters: (range: string) => `${range} letters`,
  entries: (range: string) => `${range} entries`,
}

test('every route is an operation, with what it gives or nothing, and what may go wrong', () => {
  assert.equal(operations.length, routes.length)
  for (const { id, status, answer, errors, summary } of operations) {
    assert.ok(summary, id)
    assert.equal(answer === null, status === '204', id)
    assert.ok(
      errors.some((error) => error.status === '401' && error.codes === 'unauthorized'),
      id,
    )
  }
  const { errors } = operation('POST', '/servers')
  assert.match(errors.find(({ status }) => status === '403')?.codes ?? '', /resource_limit_exceeded/)
  assert.match(errors.find(({ status }) => status === '409')?.codes ?? '', /uniqueness_error/)
  const read = operation('GET', '/servers/{id}')
  assert.deepEqual(
    read.errors.map(({ status }) => status),
    ['401', '403', '404', '429', 'default'],
  )
})

test('types and limits in a few words', () => {
  const fields = new Map(
    fieldsOf(operation('POST', '/servers').body!, description)!.map((field) => [field.name, field]),
  )
  const type = (name: string) => typeOf(fields.get(name)!.schema, words)
  assert.equal(type('server_type'), 'integer or string')
  assert.equal(type('location'), 'string or null')
  assert.equal(type('volumes'), 'list of integer')
  assert.equal(type('labels'), 'map of string')
  assert.equal(type('start_after_create'), 'boolean')
  assert.deepEqual([fields.get('name')?.required, fields.get('labels')?.required], [true, false])
  const limits = (name: string) => limitsOf(fields.get(name)!.schema, limitWords)
  assert.deepEqual(limits('name'), ['1..63 letters', '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'])
  assert.deepEqual(limits('volumes'), ['undefined..12 entries'])
  assert.deepEqual(limits('user_data'), ['undefined..65536 letters'])
  assert.deepEqual(limits('start_after_create'), [])
  const [server] = fieldsOf(operation('GET', '/servers/{id}').answer!, description)!
  assert.equal(typeOf(server!.schema, words), 'Server')
  const inside = fieldsOf(server!.schema, description)!
  assert.match(
    typeOf(inside.find(({ name }) => name === 'status')!.schema, words),
    /^initializing \| starting/,
  )
  // What may be null, and what stands in a list, has fields as well.
  assert.ok(fieldsOf(inside.find(({ name }) => name === 'image')!.schema, description))
  const [servers] = fieldsOf(operation('GET', '/servers').answer!, description)!
  assert.equal(typeOf(servers!.schema, words), 'list of Server')
  assert.ok(fieldsOf(servers!.schema, description))
})

test('a command has what a call needs and nothing more, and bash takes it as it stands', () => {
  assert.equal(
    curlOf(operation('GET', '/servers'), description),
    'curl -H "Authorization: Bearer $HEARTH_TOKEN" http://box:8080/api/v1/servers',
  )
  assert.equal(
    curlOf(operation('POST', '/servers/{id}/actions/poweron'), description),
    'curl -X POST -H "Authorization: Bearer $HEARTH_TOKEN" http://box:8080/api/v1/servers/42/actions/poweron',
  )
  const create = curlOf(operation('POST', '/servers'), description)
  assert.match(create, /-d '\{"name":"<name>","server_type":"<server_type>","image":"<image>"\}'/)
  for (const each of operations) {
    const command = curlOf(each, description)
    assert.doesNotMatch(command, /undefined|\[object|\{id\}/, each.id)
    const [, body] = /-d '(.*?)' /.exec(command) ?? []
    assert.equal(body !== undefined, each.body !== null, each.id)
    if (body !== undefined) assert.doesNotThrow(() => JSON.parse(body), each.id)
    assert.equal(command.split("'").length % 2, 1, each.id)
  }
})

test('a search finds by method, path, words and group, and keeps the order', () => {
  const all = grouped(operations, '')
  assert.equal(all.flatMap((group) => group.operations).length, operations.length)
  assert.equal(all[0]?.tag, 'Servers')
  const found = grouped(operations, 'post snapshot')
  assert.ok(found.flatMap((group) => group.operations).every(({ method }) => method === 'POST'))
  assert.ok(found.flatMap((group) => group.operations).some(({ path }) => path === '/servers/{id}/snapshots'))
  assert.deepEqual(grouped(operations, 'no such thing'), [])
})
