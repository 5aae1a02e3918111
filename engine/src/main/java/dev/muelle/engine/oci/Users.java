package dev.muelle.engine.oci;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.oci.image.InRoot;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Who a container's process is, by the image's own {@code /etc/passwd} and {@code /etc/group}, as
 * Docker reads {@code user[:group]}.
 *
 * @param groups additional ones
 * @param home for the variable HOME
 */
record Users(int uid, int gid, List<Integer> groups, String home) {

  private static final int MAX_FILE = 1 << 20;

  static Users resolve(Path root, String text) throws IOException {
    int colon = text.indexOf(':');
    String user = colon < 0 ? text : text.substring(0, colon);
    String group = colon < 0 ? "" : text.substring(colon + 1);
    if (user.isEmpty()) {
      user = "0";
    }
    Optional<String[]> account = find(lines(root, "etc/passwd"), user, 7);
    int uid;
    int gid = 0;
    String home = "/";
    if (account.isPresent()) {
      uid = number(account.get()[2], user);
      gid = number(account.get()[3], user);
      home = account.get()[5].isEmpty() ? "/" : account.get()[5];
    } else {
      uid = number(user, user);
      home = uid == 0 ? "/root" : "/";
    }
    List<String> groupLines = lines(root, "etc/group");
    List<Integer> more = new ArrayList<>();
    if (!group.isEmpty()) {
      Optional<String[]> named = find(groupLines, group, 4);
      gid = named.isPresent() ? number(named.get()[2], group) : number(group, group);
    } else if (account.isPresent()) {
      String name = account.get()[0];
      for (String line : groupLines) {
        String[] fields = line.split(":", -1);
        if (fields.length >= 4 && List.of(fields[3].split(",")).contains(name)) {
          more.add(number(fields[2], fields[0]));
        }
      }
    }
    return new Users(uid, gid, more, home);
  }

  private static Optional<String[]> find(List<String> lines, String nameOrId, int fields) {
    Optional<String[]> byId = Optional.empty();
    for (String line : lines) {
      String[] found = line.split(":", -1);
      if (found.length < fields) {
        continue;
      }
      if (found[0].equals(nameOrId)) {
        return Optional.of(found);
      }
      if (found[2].equals(nameOrId) && byId.isEmpty()) {
        byId = Optional.of(found);
      }
    }
    return byId;
  }

  private static int number(String id, String what) {
    try {
      int number = Integer.parseInt(id);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new EngineException(
        "CannotStartContainerError: unable to find user "
            + what
            + ": no matching entries in passwd file");
  }

  private static List<String> lines(Path root, String name) throws IOException {
    Path file = InRoot.resolve(root, name, true);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_FILE), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
