/* Reads a message from standard input with GMime and prints what it finds, a line each: the subject, the author, and for
   each leaf its type, its file name and its decoded content in hexadecimal, with tabs between. */
#include <gmime/gmime.h>
#include <stdio.h>

static void leaf(GMimeObject *parent, GMimeObject *object, gpointer data) {
  (void)parent;
  (void)data;
  if (!GMIME_IS_PART(object)) return;
  GMimePart *part = GMIME_PART(object);
  char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
  const char *name = g_mime_part_get_filename(part);
  GMimeDataWrapper *content = g_mime_part_get_content(part);
  GMimeStream *memory = g_mime_stream_mem_new();
  if (content != NULL) g_mime_data_wrapper_write_to_stream(content, memory);
  GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  printf("part\t%s\t%s\t", type, name == NULL ? "" : name);
  for (guint i = 0; i < bytes->len; i++) printf("%02x", bytes->data[i]);
  printf("\n");
  g_object_unref(memory);
  g_free(type);
}

int main(void) {
  g_mime_init();
  GMimeStream *input = g_mime_stream_pipe_new(0);
  GMimeParser *parser = g_mime_parser_new_with_stream(input);
  GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
  if (message == NULL) return 1;
  const char *subject = g_mime_message_get_subject(message);
  printf("subject\t%s\n", subject == NULL ? "" : subject);
  InternetAddress *author = internet_address_list_get_address(g_mime_message_get_from(message), 0);
  printf("from\t%s\t%s\n", internet_address_get_name(author),
         internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(author)));
  g_mime_message_foreach(message, leaf, NULL);
  return 0;
}
