'use client'
import type { ReactNode } from 'react'
import { m } from '../../messages/all.ts'
import { Badge, type BadgeTone } from '../../ui/badge.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { Fields } from './api-fields.tsx'
import { curlOf, type Description, fieldsOf, type Operation, type Schema } from './description.ts'
import { LazyDetails } from './lazy-details.tsx'

const t = m.api

const tones: Readonly<Record<string, BadgeTone>> = { GET: 'quiet', POST: 'ok', PUT: 'warn', DELETE: 'bad' }

/** A line of the list, which unfolds to all there is to know of one call. */
export function ApiOperation({ operation, description }: { operation: Operation; description: Description }) {
  const { id, method, path, summary } = operation
  return (
    <LazyDetails
      id={id}
      className="px-5 py-3 outline-offset-[-3px] transition-colors hover:bg-raised/45"
      // Whoever copies the address shows this very call.
      onOpen={() =>
        window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}#${id}`)
      }
      summary={
        <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
          <span className="w-14 shrink-0">
            <Badge tone={tones[method] ?? 'quiet'}>{method}</Badge>
          </span>
          <code className="min-w-0 break-all font-mono text-13">{path}</code>
          <span lang="en" className="min-w-0 text-13 text-ink-2">
            {summary}
          </span>
        </span>
      }
    >
      {() => <Whole operation={operation} description={description} />}
    </LazyDetails>
  )
}

function Whole({ operation, description }: { operation: Operation; description: Description }) {
  const command = curlOf(operation, description)
  return (
    <div className="flex flex-col gap-4 px-5 pt-1 pb-6 sm:pl-11.5">
      <p className="text-13 text-ink-2">{t.scopes[operation.scope]}</p>
      <CopyLine text={command} prompt="$" label={m.common.copy(command)} copiedLabel={m.common.copied} />
      {operation.parameters.length > 0 ? (
        <Part title={t.parameters}>
          <Fields
            description={description}
            fields={operation.parameters.map(({ name, in: place, required, schema, description: about }) => ({
              name: place === 'path' ? `{${name}}` : name,
              required,
              schema: about === undefined ? schema : { ...schema, description: about },
            }))}
          />
        </Part>
      ) : null}
      {operation.body ? (
        <Part title={t.body}>
          <Value schema={operation.body} description={description} />
        </Part>
      ) : null}
      <Part title={t.answer(operation.status)}>
        {operation.answer ? (
          <Value schema={operation.answer} description={description} />
        ) : (
          <p className="text-13 text-ink-2">{t.noContent}</p>
        )}
      </Part>
      <Part title={t.errors}>
        <ul className="divide-y divide-line rounded-control border border-line">
          {operation.errors.map(({ status, codes }) => (
            <li key={status} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2 text-13">
              <span className="tnum w-14 shrink-0 font-medium">
                {status === 'default' ? t.others : status}
              </span>
              <code className="min-w-0 break-words font-mono text-ink-2">{codes}</code>
            </li>
          ))}
        </ul>
      </Part>
    </div>
  )
}

function Value({ schema, description }: { schema: Schema; description: Description }) {
  const fields = fieldsOf(schema, description) ?? []
  if (fields.length === 0) return <p className="text-13 text-ink-2">{t.emptyObject}</p>
  return <Fields fields={fields} description={description} />
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <h3 className="mb-1.5 font-medium text-13">{title}</h3>
      {children}
    </div>
  )
}
