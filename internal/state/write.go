package state

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Write replaces the file at path with text. After a crash of the process or of the
// machine the file has the old content or the new one. A missing directory is
// created. The file's mode is 0600. A file of root belongs to the owner of the
// directory, a daemon that runs as a normal user.
func Write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	giveTo(f, filepath.Dir(path))
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

// giveTo changes the owner of a root's file to that of the directory, where the
// file system can.
func giveTo(f *os.File, dir string) {
	if os.Geteuid() != 0 {
		return
	}
	if info, err := os.Stat(dir); err == nil {
		owner := info.Sys().(*syscall.Stat_t)
		_ = f.Chown(int(owner.Uid), int(owner.Gid))
	}
}

// syncDir has the disk take the entries of a directory, where the file system can.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
