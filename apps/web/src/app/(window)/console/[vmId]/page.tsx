import { ConsoleWindow } from '../../../../features/console/console-window.tsx'

export default async function Page({ params }: { params: Promise<{ vmId: string }> }) {
  return <ConsoleWindow id={Number((await params).vmId)} />
}
