/** What is said of a VM by the state it is in, in German (see server.ts). The keys are the states' words in English. */
import { forEach } from './server-parts.ts'

const states: Readonly<Record<string, string>> = {
  'being created': 'entsteht gerade',
  creating: 'entsteht gerade',
  starting: 'startet',
  running: 'läuft',
  paused: 'ist angehalten',
  'shutting down': 'fährt herunter',
  stopping: 'fährt herunter',
  stopped: 'ist aus',
  suspended: 'schläft',
  crashed: 'ist abgestürzt',
}

export const ofStates = forEach(states, (state, verb) => ({
  [`It is ${state}.`]: `Sie ${verb}.`,
  [`It is ${state}. Shut it down first.`]: `Sie ${verb}. Fahre sie zuerst herunter.`,
  [`It is ${state}. Power it off first.`]: `Sie ${verb}. Schalte sie zuerst aus.`,
  [`It is ${state}. Wait until it runs or is stopped.`]: `Sie ${verb}. Warte, bis sie läuft oder aus ist.`,
  [`It cannot be started: it is ${state}.`]: `Sie kann nicht gestartet werden: Sie ${verb}.`,
  [`It is not running: it is ${state}.`]: `Sie läuft nicht: Sie ${verb}.`,
  [`It cannot be suspended: it is ${state}.`]: `Sie kann nicht schlafen gelegt werden: Sie ${verb}.`,
  [`Its host is away. When last seen it was ${state}.`]: `Ihr Host ist nicht da. Zuletzt gesehen: Sie ${verb}.`,
}))
