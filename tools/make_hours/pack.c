/* SPDX-License-Identifier: Apache-2.0 */
#include "make_hours/pack.h"

#include "base/attributes.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <zlib.h>

enum {
	WAVE_CHUNKS = 16, /* what is in memory at a time */
	THREADS_MAX = 64,
	DICTIONARY_BYTES = 32768,
	RAW_DEFLATE = -15,
	MEMORY_LEVEL = 8, /* zlib's default */
};

struct chunk {
	struct buf raw;
	struct buf packed;
	uLong checksum;
};

struct wave {
	const struct pack_job *job;
	size_t first; /* number of chunks[0] */
	size_t count;
	struct chunk chunks[WAVE_CHUNKS];
	struct buf before; /* the end of what came before the wave */
	void (*work)(struct wave *wave, size_t index);
	atomic_size_t next;
};

static void render(struct wave *wave, size_t index)
{
	struct chunk *chunk = &wave->chunks[index];
	buf_clear(&chunk->raw);
	wave->job->render(wave->job->render_context, wave->first + index, &chunk->raw);
	assert(!chunk->raw.failed);
	chunk->checksum = crc32_z(crc32_z(0, NULL, 0), (const Bytef *)chunk->raw.data, chunk->raw.size);
}

static void compress_chunk(struct wave *wave, size_t index)
{
	struct chunk *chunk = &wave->chunks[index];
	const struct buf *before = index > 0 ? &wave->chunks[index - 1].raw : &wave->before;
	bool is_last = wave->first + index + 1 == wave->job->chunk_count;
	z_stream stream = {0};
	int code = deflateInit2(&stream, wave->job->level, Z_DEFLATED, RAW_DEFLATE, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
	assert(code == Z_OK);
	if (before->size > 0) {
		size_t size = before->size < DICTIONARY_BYTES ? before->size : DICTIONARY_BYTES;
		const char *end = before->data + before->size;
		code = deflateSetDictionary(&stream, (const Bytef *)(end - size), (uInt)size);
		assert(code == Z_OK);
	}
	buf_clear(&chunk->packed);
	size_t bound = deflateBound(&stream, chunk->raw.size) + 64;
	stream.next_in = (Bytef *)chunk->raw.data;
	stream.avail_in = (uInt)chunk->raw.size;
	stream.next_out = (Bytef *)buf_reserve(&chunk->packed, bound);
	stream.avail_out = (uInt)bound;
	code = deflate(&stream, is_last ? Z_FINISH : Z_SYNC_FLUSH);
	assert(code == (is_last ? Z_STREAM_END : Z_OK) && stream.avail_in == 0);
	buf_commit(&chunk->packed, stream.total_out);
	(void)deflateEnd(&stream);
}

static void *work(void *argument)
{
	struct wave *wave = argument;
	for (;;) {
		size_t index = atomic_fetch_add(&wave->next, 1);
		if (index >= wave->count)
			return NULL;
		wave->work(wave, index);
	}
}

static bool share_work(struct wave *wave, void (*function)(struct wave *wave, size_t index), struct err *err)
{
	pthread_t threads[THREADS_MAX];
	int started = 0;
	bool ok = true;
	wave->work = function;
	atomic_store(&wave->next, 0);
	while (ok && started < wave->job->threads - 1) {
		ok = pthread_create(&threads[started], NULL, work, wave) == 0;
		started += ok;
	}
	if (ok)
		(void)work(wave);
	for (int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return ok || err_set(err, ERR_LOCAL, "no thread could be started");
}

static void put_little(unsigned char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static bool run_waves(struct wave *wave, uint64_t *raw_bytes, uint64_t *gzip_bytes, struct err *err)
{
	const struct pack_job *job = wave->job;
	static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	uLong checksum = crc32_z(0, NULL, 0);
	if (!job->write(job->write_context, head, sizeof(head), err))
		return false;
	for (wave->first = 0; wave->first < job->chunk_count; wave->first += wave->count) {
		size_t left = job->chunk_count - wave->first;
		wave->count = left < WAVE_CHUNKS ? left : WAVE_CHUNKS;
		if (!share_work(wave, render, err) || !share_work(wave, compress_chunk, err))
			return false;
		for (size_t i = 0; i < wave->count; i++) {
			const struct chunk *chunk = &wave->chunks[i];
			checksum = crc32_combine(checksum, chunk->checksum, (z_off_t)chunk->raw.size);
			*raw_bytes += chunk->raw.size;
			*gzip_bytes += chunk->packed.size;
			if (!job->write(job->write_context, chunk->packed.data, chunk->packed.size, err))
				return false;
		}
		const struct buf *last = &wave->chunks[wave->count - 1].raw;
		size_t size = last->size < DICTIONARY_BYTES ? last->size : DICTIONARY_BYTES;
		buf_clear(&wave->before);
		buf_append(&wave->before, last->data + (last->size - size), size);
	}
	unsigned char tail[8];
	put_little(tail, (uint32_t)checksum);
	put_little(tail + 4, (uint32_t)*raw_bytes);
	*gzip_bytes += sizeof(head) + sizeof(tail);
	return job->write(job->write_context, tail, sizeof(tail), err);
}

bool pack_run(const struct pack_job *job, uint64_t *raw_bytes_out, uint64_t *gzip_bytes_out, struct err *err)
{
	assert(job->chunk_count > 0 && job->threads > 0 && job->threads <= THREADS_MAX);
	struct wave wave = {.job = job};
	buf_init(&wave.before, DICTIONARY_BYTES);
	for (size_t i = 0; i < WAVE_CHUNKS; i++) {
		buf_init(&wave.chunks[i].raw, job->chunk_bytes_max);
		buf_init(&wave.chunks[i].packed, job->chunk_bytes_max);
	}
	uint64_t raw_bytes = 0;
	uint64_t gzip_bytes = 0;
	bool ok = run_waves(&wave, &raw_bytes, &gzip_bytes, err);
	for (size_t i = 0; i < WAVE_CHUNKS; i++) {
		buf_finish(&wave.chunks[i].raw);
		buf_finish(&wave.chunks[i].packed);
	}
	buf_finish(&wave.before);
	if (!ok)
		return false;
	*raw_bytes_out = raw_bytes;
	*gzip_bytes_out = gzip_bytes;
	return true;
}
