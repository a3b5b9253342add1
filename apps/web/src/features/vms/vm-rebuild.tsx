'use client'
import { useMutation } from '@tanstack/react-query'
import { RotateCcw } from 'lucide-react'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import { useImages } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { SettingRow } from './setting-row.tsx'
import { useVmPage } from './vm-context.ts'

const t = m.vmSettings.rebuild

/** The disk becomes an image's again: asks for which one, and for the name, because what it holds is lost. */
export function VmRebuild() {
  const { vm } = useVmPage()
  const [asking, setAsking] = useState(false)
  return (
    <SettingRow
      title={t.title}
      hint={vm.can.rebuild.why ?? t.hint}
      control={
        <>
          <Button
            variant="danger"
            icon={<RotateCcw aria-hidden="true" />}
            whyDisabled={vm.can.rebuild.why}
            onClick={() => setAsking(true)}
          >
            {t.ask}
          </Button>
          {asking ? <RebuildDialog onClose={() => setAsking(false)} /> : null}
        </>
      }
    />
  )
}

function RebuildDialog({ onClose }: { onClose: () => void }) {
  const { vm } = useVmPage()
  const trpc = useTRPC()
  const { images = [] } = useImages()
  const [key] = useState(intentKey)
  const [imageUid, setImageUid] = useState(vm.image.uid)
  const [password, setPassword] = useState('')
  const rebuild = useMutation(trpc.vm.rebuild.mutationOptions({ onSuccess: onClose }))
  const image = images.find(({ uid }) => uid === imageUid)
  // Only where it had no login before; else it keeps the one it has.
  const wantsLogin = image?.cloudInit === true && vm.loginUser === null
  return (
    <Confirm
      title={t.question(vm.name)}
      text={t.text}
      action={t.confirm}
      cancel={m.common.cancel}
      closeLabel={m.common.close}
      danger
      busy={rebuild.isPending}
      error={rebuild.error && errorMessage(rebuild.error, m.entry.signIn.unreachable)}
      typeName={{ name: vm.name, label: t.type(vm.name), mismatch: t.mismatch }}
      onConfirm={() =>
        rebuild.mutate({
          ...{ id: vm.id, imageUid, confirmName: vm.name, idempotencyKey: key },
          ...(wantsLogin && password !== '' ? { password } : {}),
        })
      }
      onClose={onClose}
    >
      <Field label={t.image}>
        <Select value={imageUid} onChange={(event) => setImageUid(event.target.value)}>
          {images.map(({ uid, name }) => (
            <option key={uid} value={uid}>
              {name}
            </option>
          ))}
        </Select>
      </Field>
      {wantsLogin ? (
        <Field label={t.password(image.loginUser ?? '')} hint={t.passwordHint}>
          <Input
            type="password"
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
      ) : null}
    </Confirm>
  )
}
