// SPDX-License-Identifier: Apache-2.0
// An archive for tests of the built program: hours from a folder or from memory, as GH Archive's servers send them
// (ETag, Last-Modified, ranges, If-Range, HEAD), and with the faults that a test plans for a file. What was asked
// is kept. tests/support/archive_server.h is its like for C tests.
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** How one answer goes wrong; an empty one goes well. */
export interface Fault {
	/** Instead of the file: this status, with body and headers. */
	status?: number;
	body?: string;
	headers?: Record<string, string>;
	/** The file's bytes up to here, then the connection closes though more were announced. */
	cut_at?: number;
	/** The file's bytes up to here, then nothing until the client leaves. */
	stall_at?: number;
	/** Waits so long before the first byte. */
	wait_ms?: number;
	/** Bytes a second, about. */
	rate?: number;
	/** 200 with all of it, whatever range was asked for. */
	ignores_range?: boolean;
	/** Afterwards the file is this one. */
	changes_to?: Buffer;
}

export interface Asked {
	method: string;
	path: string;
	range?: string;
	if_range?: string;
	user_agent?: string;
	authorization?: string;
	status: number;
}

const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";
const S3_MISSING = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>";

/** An answer of S3 for a file that is not there, as some buckets give it. */
export const NO_SUCH_KEY: Fault = { status: 403, body: S3_MISSING, headers: { "Content-Type": "application/xml" } };
/** The same text as if it were the file: what GH Archive's 2016-01-28-1.json.gz was. */
export const XML_AS_FILE: Fault = { status: 200, body: S3_MISSING };

export class ArchiveServer {
	readonly asked: Asked[] = [];
	/** Connections open now, and at most at once. */
	open = 0;
	open_max = 0;
	private readonly server: http.Server;
	private readonly files = new Map<string, Buffer>();
	private readonly faults = new Map<string, Fault[]>();

	private constructor(private readonly folder?: string) {
		this.server = http.createServer((request, response) => void this.answer(request, response));
		this.server.on("connection", (socket) => {
			this.open++;
			this.open_max = Math.max(this.open_max, this.open);
			socket.on("close", () => this.open--);
			socket.on("error", () => {});
		});
	}

	/** Files of `folder`, and those that put() adds. On a free port of 127.0.0.1. */
	static async start(folder?: string): Promise<ArchiveServer> {
		const archive = new ArchiveServer(folder);
		await new Promise<void>((done) => archive.server.listen(0, "127.0.0.1", done));
		return archive;
	}

	/** For --mirror. */
	get url(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	/** "2026-09-20-7.json.gz" */
	put(name: string, content: Buffer): void {
		this.files.set(name, content);
	}

	remove(name: string): void {
		this.files.delete(name);
	}

	/** The next GETs of that file go wrong like this, one after the other; then it goes well again. */
	plan(name: string, ...faults: Fault[]): void {
		this.faults.set(name, [...(this.faults.get(name) ?? []), ...faults]);
	}

	/** Every GET of that file goes wrong like this, from now on. */
	planForever(name: string, fault: Fault): void {
		this.faults.set(name, new Array<Fault>(10_000).fill(fault));
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise<void>((done) => this.server.close(() => done()));
	}

	private find(name: string): Buffer | undefined {
		const kept = this.files.get(name);
		if (kept || !this.folder || !/^[\w.-]+$/.test(name))
			return kept;
		const file = path.join(this.folder, name);
		return fs.existsSync(file) ? fs.readFileSync(file) : undefined;
	}

	private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
		const name = (request.url ?? "/").split("?")[0]!.replace(/^.*\//, "");
		const fault = (request.method === "GET" ? this.faults.get(name)?.shift() : undefined) ?? {};
		const { headers } = request;
		const asked: Asked = { method: request.method ?? "", path: request.url ?? "", range: headers.range,
			if_range: headers["if-range"] as string | undefined, user_agent: headers["user-agent"],
			authorization: headers.authorization, status: 0 };
		this.asked.push(asked);
		if (fault.wait_ms)
			await new Promise((done) => setTimeout(done, fault.wait_ms));
		const file = this.find(name);
		if (fault.status !== undefined || !file) {
			asked.status = fault.status ?? 404;
			const body = fault.body ?? (file ? "" : "not found");
			response.writeHead(asked.status, { "Content-Length": Buffer.byteLength(body), ...fault.headers });
			response.end(request.method === "HEAD" ? undefined : body);
			return;
		}
		await this.sendFile(request, response, file, fault, asked);
		if (fault.changes_to)
			this.files.set(name, fault.changes_to);
	}

	private async sendFile(request: http.IncomingMessage, response: http.ServerResponse, file: Buffer, fault: Fault,
		asked: Asked): Promise<void> {
		const etag = `"${createHash("sha256").update(file).digest("hex").slice(0, 16)}"`;
		const range = /^bytes=(\d+)-$/.exec(asked.range ?? "");
		const same = asked.if_range === undefined || asked.if_range === etag || asked.if_range === MODIFIED;
		const from = range && same && !fault.ignores_range ? Number(range[1]) : 0;
		const headers: Record<string, string | number> = { ETag: etag, "Last-Modified": MODIFIED,
			"Accept-Ranges": "bytes", "Content-Type": "application/gzip", ...fault.headers };
		asked.status = from >= file.length && from > 0 ? 416 : from > 0 ? 206 : 200;
		if (asked.status === 416) {
			response.writeHead(416, { ...headers, "Content-Range": `bytes */${file.length}` }).end();
			return;
		}
		if (asked.status === 206)
			headers["Content-Range"] = `bytes ${from}-${file.length - 1}/${file.length}`;
		const rest = file.subarray(from);
		response.writeHead(asked.status, { ...headers, "Content-Length": rest.length });
		if (request.method === "HEAD") {
			response.end();
			return;
		}
		const limit = fault.cut_at ?? fault.stall_at;
		await this.sendBytes(response, limit === undefined ? rest : rest.subarray(0, limit), fault.rate);
		if (fault.cut_at !== undefined)
			response.socket?.end();
		else if (fault.stall_at === undefined)
			response.end();
	}

	private async sendBytes(response: http.ServerResponse, bytes: Buffer, rate?: number): Promise<void> {
		const step = rate ? Math.max(1, Math.floor(rate / 20)) : bytes.length;
		for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
			await new Promise<void>((done) => response.write(bytes.subarray(at, at + step), () => done()));
			if (rate)
				await new Promise((done) => setTimeout(done, 50));
		}
	}
}
