'use client'
import { useEffect, useRef, useState } from 'react'
import { keyStrokes } from '../../console/type-text.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Select, Textarea } from '../../ui/field.tsx'
import { type KeyboardLayout, keyboardLayouts } from './keyboard-layout.ts'

const t = m.display

/** Text and the keyboard it is typed on. Closing it stops what is being typed. */
export function DisplayTypeDialog({
  initialLayout,
  onClose,
  onType,
  focusAfter,
}: {
  initialLayout: KeyboardLayout
  onClose: () => void
  onType: (text: string, layout: KeyboardLayout, signal: AbortSignal) => Promise<void>
  /** Gives the focus to the screen: whoever had a text typed goes on there. */
  focusAfter: () => void
}) {
  const [text, setText] = useState('')
  const [layout, setLayout] = useState(initialLayout)
  const [typing, setTyping] = useState(false)
  const typed = useRef<AbortController | null>(null)
  useEffect(() => {
    // What is in the clipboard is proposed, once the browser lets us look; it may ask first, and nobody waits for that.
    void navigator.clipboard?.readText().then(
      (found) => setText((before) => before || found),
      () => {},
    )
    return () => typed.current?.abort()
  }, [])
  const { missing } = keyStrokes(text, layout)
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      focusAfter={focusAfter}
      title={t.typeTitle}
      description={t.typeText2}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            variant="primary"
            busy={typing}
            whyDisabled={text ? null : t.typeEmpty}
            onClick={() => {
              setTyping(true)
              typed.current = new AbortController()
              void onType(text, layout, typed.current.signal).then(onClose)
            }}
          >
            {typing ? t.typing : t.typeSend}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Field label={t.typeField}>
          <Textarea
            rows={5}
            value={text}
            onChange={(event) => setText(event.target.value)}
            spellCheck={false}
            className="font-mono text-13!"
          />
        </Field>
        <Field label={t.typeLayout}>
          <Select value={layout} onChange={(event) => setLayout(event.target.value as KeyboardLayout)}>
            {keyboardLayouts.map((name) => (
              <option key={name} value={name}>
                {t.layouts[name]}
              </option>
            ))}
          </Select>
        </Field>
        {missing.length > 0 ? (
          <p role="status" className="text-13 text-warn">
            {t.typeMissing(missing.slice(0, 12).join(' '))}
          </p>
        ) : null}
      </div>
    </Dialog>
  )
}
