package dev.muelle.engine.oci;

import dev.muelle.engine.ContainerSpec.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files that tell programs their own name, and others' addresses, as Docker writes them. */
final class HostFiles {

  private HostFiles() {}

  static void write(Path directory, Names names) throws IOException {
    Files.writeString(directory.resolve("hostname"), names.hostname() + "\n");
    StringBuilder hosts =
        new StringBuilder("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    for (Names.Host host : names.hosts()) {
      hosts.append(host.address()).append('\t').append(host.names()).append('\n');
    }
    if (names.address() != null) {
      hosts.append(names.address()).append('\t').append(names.hostname()).append('\n');
    }
    Files.writeString(directory.resolve("hosts"), hosts);
    StringBuilder resolv = new StringBuilder();
    if (!names.searchDomains().isEmpty()) {
      resolv.append("search ").append(String.join(" ", names.searchDomains())).append('\n');
    }
    names.nameservers().forEach(server -> resolv.append("nameserver ").append(server).append('\n'));
    Files.writeString(directory.resolve("resolv.conf"), resolv);
  }
}
