'use client'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { type Description, type Field, fieldsOf, limitsOf, resolve, typeOf } from './description.ts'
import { LazyDetails } from './lazy-details.tsx'

const t = m.api

/** What an object has, and what is in it: names, types, what may stand there. */
export function Fields({ fields, description }: { fields: readonly Field[]; description: Description }) {
  return (
    <ul className="divide-y divide-line rounded-control border border-line">
      {fields.map((field) => (
        <li key={field.name} className="px-3 py-2">
          <FieldLine field={field} description={description} />
        </li>
      ))}
    </ul>
  )
}

function FieldLine({ field, description }: { field: Field; description: Description }) {
  const { name, schema, required } = field
  const itself = resolve(schema, description)
  const about = schema.description ?? itself.description
  const limits = limitsOf(itself, t.limits)
  const inside = fieldsOf(schema, description)
  const preset = itself.default
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
        <code className="font-medium font-mono text-13">{name}</code>
        <span className="min-w-0 break-words text-13 text-ink-3">{typeOf(schema, t.types)}</span>
        {required ? <Badge tone="ember">{t.required}</Badge> : null}
        {preset === undefined ? null : (
          <span className="text-13 text-ink-3">{t.preset(JSON.stringify(preset))}</span>
        )}
      </p>
      {about ? (
        <p lang="en" className="text-13 text-ink-2">
          {about}
        </p>
      ) : null}
      {limits.length > 0 ? <p className="break-words text-13 text-ink-3">{limits.join(' · ')}</p> : null}
      {inside && inside.length > 0 ? (
        <LazyDetails
          summary={<span className="text-13 text-ink-2">{t.fieldsOf(name)}</span>}
          className="py-1"
        >
          {() => (
            <div className="mt-1 mb-1.5">
              <Fields fields={inside} description={description} />
            </div>
          )}
        </LazyDetails>
      ) : null}
    </>
  )
}
