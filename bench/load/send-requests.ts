import { Client, type Dispatcher } from 'undici';

/** A request that costs the load side nothing more than sending it. */
export interface PreparedRequest {
  /** Names and values in turn. */
  headers: string[];
  body: string;
}

/** What one volley took. */
export interface Volley {
  /** From the first request to the last answer. */
  ms: number;
  /** Of each request, in milliseconds, in the order in which they ended. */
  latencies: Float64Array;
}

/** Open connections to one contender, kept alive between volleys. */
export interface Connections {
  /** Posts every request to `path`, one at a time on each connection. @throws Error for an answer other than 200 */
  post(path: string, requests: readonly PreparedRequest[], connections: number): Promise<Volley>;
  close(): Promise<void>;
}

/** Opens connections as they are needed. */
export function openConnections(url: string): Connections {
  const clients: Client[] = [];

  return {
    async post(path, requests, connections) {
      while (clients.length < connections) clients.push(new Client(url, { pipelining: 1 }));
      const latencies = new Float64Array(requests.length);
      let next = 0;
      let ended = 0;
      const startedAt = performance.now();
      const work = async (client: Client): Promise<void> => {
        for (let request = requests[next++]; request; request = requests[next++]) {
          const sentAt = performance.now();
          await post(client, path, request);
          latencies[ended++] = performance.now() - sentAt;
        }
      };
      await Promise.all(clients.slice(0, connections).map(work));
      return { ms: performance.now() - startedAt, latencies };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

function post(client: Client, path: string, { headers, body }: PreparedRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData() {},
      onResponseEnd() {
        if (status === 200) resolve();
        else reject(new Error(`${path} answered ${status}`));
      },
      onResponseError(_controller, error) {
        reject(error);
      },
    };
    client.dispatch({ method: 'POST', path, headers, body }, handler);
  });
}
