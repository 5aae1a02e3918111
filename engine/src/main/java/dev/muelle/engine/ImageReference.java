package dev.muelle.engine;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An image's name as Docker reads it: {@code [registry/]repository[:tag][@digest]}. Without a
 * registry it is Docker Hub's ({@code docker.io}), where names without a slash live under {@code
 * library/}; without tag and digest it is {@code latest}.
 *
 * @param registry host with optional port
 * @param tag null if only a digest was given
 */
public record ImageReference(
    String registry, String repository, @Nullable String tag, @Nullable String digest) {

  private static final Pattern REPOSITORY =
      Pattern.compile(
          "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}");
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9.-]+(?::[0-9]{1,5})?");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if it is not one
   */
  public static ImageReference parse(String text) {
    String rest = text;
    String digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = rest.substring(at + 1);
      rest = rest.substring(0, at);
      require(DIGEST, digest, text);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
      require(TAG, tag, text);
    } else if (digest == null) {
      tag = "latest";
    }
    int slash = rest.indexOf('/');
    String first = slash < 0 ? "" : rest.substring(0, slash);
    if (first.contains(".") || first.contains(":") || first.equals("localhost")) {
      require(HOST, first, text);
      rest = rest.substring(slash + 1);
    } else {
      first = "docker.io";
      rest = slash < 0 ? "library/" + rest : rest;
    }
    require(REPOSITORY, rest, text);
    return new ImageReference(first, rest, tag, digest);
  }

  private static void require(Pattern form, String part, String whole) {
    Matcher matcher = form.matcher(part);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("invalid reference format: " + whole);
    }
  }

  @Override
  public String toString() {
    return registry
        + "/"
        + repository
        + (tag == null ? "" : ":" + tag)
        + (digest == null ? "" : "@" + digest);
  }
}
