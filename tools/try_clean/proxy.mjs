// SPDX-License-Identifier: Apache-2.0
// A forward proxy on a free port of 127.0.0.1: plain requests and CONNECT; says what it was asked for.
import http from "node:http";
import net from "node:net";

// Gives {url, requests: ["METHOD TARGET", ...], close()}.
export async function startProxy() {
	const requests = [];
	const server = http.createServer((request, response) => {
		requests.push(`${request.method} ${request.url}`);
		const onward = http.request(request.url, { method: request.method, headers: request.headers }, (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		});
		onward.on("error", () => response.headersSent ? response.destroy() : response.writeHead(502).end());
		request.pipe(onward);
	});
	server.on("connect", (request, client, head) => {
		requests.push(`CONNECT ${request.url}`);
		const [host, port] = request.url.split(":");
		const onward = net.connect(Number(port), host, () => {
			client.write("HTTP/1.1 200 Connection established\r\n\r\n");
			onward.write(head);
			onward.pipe(client).pipe(onward);
		});
		onward.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
		client.on("error", () => onward.destroy());
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const close = () => {
		server.close();
		server.closeAllConnections();
	};
	return { url: `http://127.0.0.1:${server.address().port}`, requests, close };
}
