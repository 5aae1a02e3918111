package dev.muelle.region;

import dev.muelle.region.command.CommandLineRoot;

/** Where {@code ./muelle} hands over. */
public final class Main {

  private Main() {}

  /**
   * Runs one command.
   *
   * @param args the command and its options; see {@code ./muelle help}
   */
  public static void main(String[] args) {
    System.exit(CommandLineRoot.run(args));
  }
}
