'use client'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { ImageView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'

/** The way to a VM made from an image; while there is none, it says why. */
export function UseImage({ image, icon }: { image: ImageView; icon: ReactNode }) {
  if (!image.can.use.ok)
    return (
      <Button icon={icon} whyDisabled={image.can.use.why}>
        {m.images.use}
      </Button>
    )
  return (
    <Link href={paths.vmNew({ image: image.uid })} className={buttonClass('secondary')}>
      {icon}
      {m.images.use}
    </Link>
  )
}
