/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/digest.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
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
