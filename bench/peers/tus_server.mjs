// A tus server that keeps files in a folder: node tus_server.mjs HOST PORT FOLDER. Its own notes about uploads are
// kept in memory, so that the folder holds files alone.
import { FileStore, MemoryConfigstore } from '@tus/file-store'
import { Server } from '@tus/server'

const [host, port, directory] = process.argv.slice(2)
const datastore = new FileStore({ directory, configstore: new MemoryConfigstore() })
new Server({ path: '/files', datastore }).listen({ host, port: Number(port) })
