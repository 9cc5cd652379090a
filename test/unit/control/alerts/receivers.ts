// What alerts are sent to in tests: an HTTP receiver that can refuse, and a small SMTP server (RFC 5321) that keeps mails.

export interface Received {
  readonly path: string;
  readonly authorization: string | null;
  readonly body: Record<string, unknown>;
}

export function httpReceiver() {
  const received: Received[] = [];
  let refusals = 0;
  let calls = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      calls++;
      const body = (await request.json()) as Record<string, unknown>;
      if (refusals-- > 0) return new Response("later", { status: 503 });
      const { pathname: path } = new URL(request.url);
      received.push({ path, authorization: request.headers.get("authorization"), body });
      return new Response("ok");
    },
  });
  return {
    received,
    url: `http://127.0.0.1:${server.port}`,
    get calls() {
      return calls;
    },
    refuse: (count: number) => {
      refusals = count;
    },
    stop: () => server.stop(true),
  };
}

export function smtpReceiver() {
  const mails: string[] = [];
  const server = Bun.listen<{ data: boolean; text: string }>({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      open(socket) {
        socket.data = { data: false, text: "" };
        socket.write("220 test\r\n");
      },
      data(socket, bytes) {
        const state = socket.data;
        state.text += bytes.toString();
        for (;;) {
          const end = state.data ? state.text.indexOf("\r\n.\r\n") : state.text.indexOf("\r\n");
          if (end < 0) return;
          const line = state.text.slice(0, end);
          state.text = state.text.slice(end + (state.data ? 5 : 2));
          if (state.data) {
            mails.push(line);
            state.data = false;
            socket.write("250 kept\r\n");
          } else if (line.startsWith("DATA")) {
            state.data = true;
            socket.write("354 go on\r\n");
          } else if (line.startsWith("QUIT")) socket.end("221 bye\r\n");
          else socket.write("250 ok\r\n");
        }
      },
    },
  });
  return { mails, port: server.port, stop: () => server.stop(true) };
}
