// Sends files by tus, several at once: node tus_client.mjs PARALLEL URL LIST.json
import fs from 'node:fs'
import http from 'node:http'
import * as tus from 'tus-js-client'

const [parallel, endpoint, list] = process.argv.slice(2)
const paths = JSON.parse(fs.readFileSync(list, 'utf8'))
const httpStack = new tus.DefaultHttpStack({ agent: new http.Agent({ keepAlive: true, maxSockets: Number(parallel) }) })

function send(path) {
  return new Promise((resolve, reject) => {
    const uploadSize = fs.statSync(path).size
    const options = { endpoint, httpStack, uploadSize, retryDelays: [0, 1000, 3000], onSuccess: resolve, onError: reject }
    new tus.Upload(fs.createReadStream(path), { ...options, chunkSize: Infinity }).start()
  })
}

async function worker() {
  for (let path = paths.pop(); path; path = paths.pop()) await send(path)
}

paths.reverse()
await Promise.all(Array.from({ length: Number(parallel) }, worker))
process.exit(0)
