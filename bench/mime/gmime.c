/*
 * Reads every message of a packed workload with GMime: headers decoded, every leaf body decoded and counted.
 * gmime <file> <seconds>: a warm-up pass, then passes until that much processor time is used; prints a line of JSON.
 */
#include <gmime/gmime.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static uint64_t parts, octets, breaks, fields;
static int checking;

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void headers_of(GMimeObject *object) {
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  int count = g_mime_header_list_get_count(list);
  for (int i = 0; i < count; i++) {
    const char *value = g_mime_header_get_value(g_mime_header_list_get_header_at(list, i));
    if (value != NULL) fields++;
  }
}

static void visit(GMimeObject *object) {
  headers_of(object);
  if (GMIME_IS_MULTIPART(object)) {
    GMimeMultipart *multipart = (GMimeMultipart *)object;
    int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count; i++) visit(g_mime_multipart_get_part(multipart, i));
  } else if (GMIME_IS_MESSAGE_PART(object)) {
    GMimeMessage *message = g_mime_message_part_get_message((GMimeMessagePart *)object);
    if (message == NULL) return;
    headers_of((GMimeObject *)message);
    if (g_mime_message_get_mime_part(message) != NULL) visit(g_mime_message_get_mime_part(message));
  } else if (GMIME_IS_PART(object)) {
    GMimeDataWrapper *content = g_mime_part_get_content((GMimePart *)object);
    parts++;
    if (content == NULL) return;
    if (checking) {
      GMimeStream *memory = g_mime_stream_mem_new();
      g_mime_data_wrapper_write_to_stream(content, memory);
      GByteArray *bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)memory);
      for (guint i = 0; i < bytes->len; i++)
        if (bytes->data[i] == '\n' || bytes->data[i] == '\r') breaks++;
      octets += bytes->len;
      g_object_unref(memory);
    } else {
      GMimeStream *null = g_mime_stream_null_new();
      g_mime_data_wrapper_write_to_stream(content, null);
      octets += ((GMimeStreamNull *)null)->written;
      g_object_unref(null);
    }
  }
}

static GByteArray **messages;
static size_t message_count;

static void unpack(const unsigned char *file, size_t size) {
  for (size_t at = 0; at + 4 <= size;) {
    uint32_t length = file[at] | file[at + 1] << 8 | file[at + 2] << 16 | (uint32_t)file[at + 3] << 24;
    messages = realloc(messages, (message_count + 1) * sizeof *messages);
    messages[message_count] = g_byte_array_sized_new(length);
    g_byte_array_append(messages[message_count++], file + at + 4, length);
    at += 4 + length;
  }
}

static void read_all(void) {
  for (size_t i = 0; i < message_count; i++) {
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(messages[i]);
    g_mime_stream_mem_set_owner((GMimeStreamMem *)stream, FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message != NULL) {
      headers_of((GMimeObject *)message);
      GMimeObject *root = g_mime_message_get_mime_part(message);
      if (root != NULL) visit(root);
      g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  FILE *input = fopen(argv[1], "rb");
  if (input == NULL) return 2;
  fseek(input, 0, SEEK_END);
  long size = ftell(input);
  rewind(input);
  unsigned char *file = malloc(size);
  if (fread(file, 1, size, input) != (size_t)size) return 2;
  g_mime_init();
  unpack(file, size);
  checking = 1;
  read_all();
  uint64_t leaves = parts, content = octets - breaks;
  checking = 0;
  double limit = atof(argv[2]), start = cpu();
  int passes = 0;
  do {
    read_all();
    passes++;
  } while (cpu() - start < limit);
  printf("{\"cpu\":%.6f,\"passes\":%d,\"parts\":%lu,\"content\":%lu}\n", cpu() - start, passes, leaves, content);
  return 0;
}
