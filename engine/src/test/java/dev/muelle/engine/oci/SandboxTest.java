package dev.muelle.engine.oci;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A lab for each test, with busybox's image and a sandbox {@code s1}; closed, it left nothing. */
abstract class SandboxTest {

  Lab lab;
  String image;

  @BeforeEach
  void openLab() throws Exception {
    lab = new Lab();
    image = lab.busyboxImage();
    lab.engine.createSandbox(Lab.sandbox("s1"));
  }

  @AfterEach
  void closeLab() throws Exception {
    lab.close();
  }
}
