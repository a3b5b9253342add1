'use client'
import { useSyncExternalStore } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { ImageView } from '../../data/hooks.ts'
import { useTRPCClient } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { ProgressBar } from '../../ui/meter.tsx'
import { toast } from '../../ui/toast.tsx'
import { transferText } from './image-progress.tsx'
import { startUpload, subscribeUploads, uploadState } from './uploader.ts'

const t = m.imageForms.upload

/** Begins or goes on with the upload of an image's file in this tab. */
export function useUploader(): (imageId: number, file: File) => void {
  const client = useTRPCClient()
  return (imageId, file) => {
    void startUpload(imageId, file, () =>
      client.image.finishUpload.mutate({ id: imageId }).catch((error: unknown) => {
        throw new Error(errorMessage(error, m.entry.signIn.unreachable))
      }),
    )
  }
}

/** How far an upload is; without one in this tab, how to go on with it. */
export function UploadProgress({ image }: { image: ImageView }) {
  const state = useSyncExternalStore(
    subscribeUploads,
    () => uploadState(image.id),
    () => undefined,
  )
  const go = useUploader()
  const { upload } = image
  if (!upload) return null
  if (!upload.mine) return <p className="flex-1 text-13 text-ink-2">{t.elsewhere}</p>
  if (!state || state.phase === 'refused')
    return (
      <div className="min-w-0 flex-1">
        {state?.message ? (
          <p role="alert" className="text-13 text-bad">
            {state.message}
          </p>
        ) : null}
        <p className="text-13 text-ink-2">{t.paused(upload.fileName)}</p>
        <label className={buttonClass('secondary', 'sm', 'mt-1.5 cursor-pointer')}>
          {t.goOn}
          <input
            type="file"
            className="sr-only"
            onChange={(event) => {
              const file = event.target.files?.[0]
              event.target.value = ''
              if (!file) return
              if (file.size !== upload.bytes)
                toast.error(t.otherFile, t.otherFileText(upload.fileName, bytes(upload.bytes)))
              else go(image.id, file)
            }}
          />
        </label>
      </div>
    )
  const value = Math.floor((state.sent / state.bytes) * 100)
  return (
    <div className="min-w-0 flex-1">
      <ProgressBar label={t.progress(image.name)} value={value} />
      <p className="mt-1.5 flex justify-between gap-3 text-13 text-ink-2">
        <span role="status">{t.phase[state.phase]}</span>
        <span className="tnum">{value} %</span>
      </p>
      <p className="tnum truncate text-13 text-ink-3">
        {transferText({ bytes: state.sent, totalBytes: state.bytes, bytesPerSecond: state.bytesPerSecond })}
      </p>
    </div>
  )
}
