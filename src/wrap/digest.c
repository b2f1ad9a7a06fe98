/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/digest.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHA256_BYTES = 32, READ_STEP_BYTES = 64 * 1024 };

static struct digest digest_from(const unsigned char *bytes)
{
	static const char digits[] = "0123456789abcdef";
	struct digest digest;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		digest.hex[2 * i] = digits[bytes[i] >> 4];
		digest.hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	digest.hex[sizeof(digest.hex) - 1] = '\0';
	return digest;
}

struct digest digest_of(struct span bytes)
{
	unsigned char result[EVP_MAX_MD_SIZE];
	const char *data = bytes.data ? bytes.data : "";
	int ok = EVP_Digest(data, bytes.size, result, NULL, EVP_sha256(), NULL);
	if (ok != 1) /* for want of memory only */
		memory_exhausted("SHA-256");
	return digest_from(result);
}

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static void close_descriptor(const int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
}

bool digest_of_file(const char *path, struct digest *digest_out, int64_t *size_out, struct err *err)
{
	int descriptor CLEANUP(close_descriptor) = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		enum err_kind kind = errno == ENOENT ? ERR_INPUT : ERR_LOCAL;
		return err_set_errno(err, kind, errno, "%s", path);
	}
	EVP_MD_CTX *context CLEANUP(free_context) = EVP_MD_CTX_new();
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return err_set(err, ERR_LOCAL, "%s: no SHA-256", path);
	int64_t size = 0;
	for (;;) {
		char step[READ_STEP_BYTES];
		ssize_t got = read(descriptor, step, sizeof(step));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_LOCAL, errno, "read %s", path);
		if (got == 0)
			break;
		if (EVP_DigestUpdate(context, step, (size_t)got) != 1)
			return err_set(err, ERR_LOCAL, "%s: no SHA-256", path);
		size += got;
	}
	unsigned char result[EVP_MAX_MD_SIZE];
	if (EVP_DigestFinal_ex(context, result, NULL) != 1)
		return err_set(err, ERR_LOCAL, "%s: no SHA-256", path);
	*digest_out = digest_from(result);
	*size_out = size;
	return true;
}

/* ---- streams ---- */

struct digest_stream {
	EVP_MD_CTX *context;
	EVP_MD_CTX *copy; /* to look at a sum while it goes on */
};

/* With a digest of OpenSSL's own and a context that was made, only memory can be missing. */
static void require(bool ok)
{
	if (!ok)
		memory_exhausted("SHA-256");
}

struct digest_stream *digest_stream_create(void)
{
	struct digest_stream *stream = memory_allocate(1, sizeof(*stream));
	stream->context = EVP_MD_CTX_new();
	stream->copy = EVP_MD_CTX_new();
	require(stream->context && stream->copy);
	digest_stream_reset(stream);
	return stream;
}

void digest_stream_reset(struct digest_stream *stream)
{
	require(EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL) == 1);
}

void digest_stream_add(struct digest_stream *stream, struct span bytes)
{
	require(EVP_DigestUpdate(stream->context, bytes.data ? bytes.data : "", bytes.size) == 1);
}

struct digest digest_stream_get(const struct digest_stream *stream)
{
	unsigned char result[EVP_MAX_MD_SIZE];
	require(EVP_MD_CTX_copy_ex(stream->copy, stream->context) == 1
		&& EVP_DigestFinal_ex(stream->copy, result, NULL) == 1);
	return digest_from(result);
}

void digest_stream_destroy(struct digest_stream **stream)
{
	if (!*stream)
		return;
	EVP_MD_CTX_free((*stream)->context);
	EVP_MD_CTX_free((*stream)->copy);
	free(*stream);
	*stream = NULL;
}
