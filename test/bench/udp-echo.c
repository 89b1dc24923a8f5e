/* The floor in C: sends each packet back, one socket a caller, and does nothing else. Its argument: how many sockets.
 * Writes their ports, one a line; ends when its standard input is closed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(int set, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  if (epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) != 0) exit(1);
}

int main(int count, char **arguments) {
  int sockets = count > 1 ? atoi(arguments[1]) : 0;
  int set = epoll_create1(0);
  /* Connected at the first packet, as a server that knows where its caller is would be. */
  static char connected[1 << 20];
  watch(set, STDIN_FILENO);
  for (int index = 0; index < sockets; index++) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int size = 1 << 18;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (descriptor < 0 || descriptor >= (int)sizeof connected) return 1;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) return 1;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 1;
    printf("%d\n", ntohs(address.sin_port));
    watch(set, descriptor);
  }
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    int ready = epoll_wait(set, events, 64, -1);
    for (int index = 0; index < ready; index++) {
      int descriptor = events[index].data.fd;
      char packet[2048];
      struct sockaddr_in from;
      socklen_t length = sizeof from;
      ssize_t bytes;
      if (descriptor == STDIN_FILENO) {
        if (read(descriptor, packet, sizeof packet) <= 0) return 0;
        continue;
      }
      bytes = recvfrom(descriptor, packet, sizeof packet, 0, (struct sockaddr *)&from, &length);
      if (bytes < 0) continue;
      if (connected[descriptor]) {
        send(descriptor, packet, bytes, 0);
      } else if (connect(descriptor, (struct sockaddr *)&from, length) == 0) {
        connected[descriptor] = 1;
      }
    }
  }
}
