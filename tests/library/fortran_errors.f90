! What the Fortran module says of calls that fail, and of paths with blanks at their end. tests/examples/examples_test.py
! builds and runs it, in a folder of its own.
program fortran_errors
  use mpi_f08, only: MPI_Abort, MPI_Comm_rank, MPI_COMM_WORLD, MPI_Finalize, MPI_Init
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use, intrinsic :: iso_c_binding, only: c_f_pointer, c_loc, c_size_t
  use, intrinsic :: iso_fortran_env, only: error_unit, real32, real64
  use dnn_train
  implicit none

  integer, parameter :: samples = 30
  integer :: rank, status, i
  logical :: exists
  real(real64), target :: x(samples, 2), y(samples, 1), answers(1, samples), narrow(1, samples - 1), none(1, 0)
  real(real32), target :: x32(samples, 2), answers32(1, samples), narrow32(1, samples - 1)
  real(real64), target :: first
  real(real32), target :: first32
  real(real64), pointer :: large(:, :)
  real(real32), pointer :: large32(:, :)
  real(real64) :: loss
  character(40) :: path = "fixed.dnn", figure = "r2"
  character(64) :: before, after
  type(dnn_trainer) :: trainer

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  do i = 1, samples
    x(i, :) = [sin(1.0_real64 * i + rank), cos(2.0_real64 * i)]
    y(i, 1) = x(i, 1) - x(i, 2)
  end do
  x32 = real(x, real32)

  call trainer%open(MPI_COMM_WORLD, "hidden = [3]" // new_line('a') // "task = 'numbers'", status)
  call expect(status == 0, "open")
  call trainer%predict(x, answers, status)
  call refused("predict without a network", "no network yet")
  call trainer%predict(x, none, status)
  call refused("predict of no answers without a network", "no network yet")
  call trainer%put(x, targets=y, status=status)
  call trainer%prepare(status)
  call expect(status == 0, "prepare")

  ! Each call's message takes the place of the last one's, whoever wrote it.
  call trainer%predict(x, narrow, status)
  call refused("predict", "(outputs, samples)")
  call trainer%set_learning_rate(-1.0_real64, status)
  call refused("set_learning_rate", "learning rate")
  call trainer%predict(x32, narrow32, status)
  call refused("predict of float", "(outputs, samples)")
  call trainer%load("/nowhere/model.dnn", status)
  call refused("load", "/nowhere/model.dnn")
  call trainer%put(x, targets=y, weights=[1.0_real64], status=status)
  call refused("put", "an element for each row")
  call trainer%figure("height", loss, status)
  call refused("figure", "height")
  call trainer%predict(x, answers, status)
  call expect(status == 0, "predict")
  call trainer%predict(x32, answers32, status)
  call expect(status == 0, "predict of float")
  call expect(maxval(abs(answers32 - answers)) < 1e-4, "the same answers")
  call trainer%predict(x(1:0, :), none, status)
  call expect(status == 0, "predict of no rows")

  ! More elements than a default integer counts, 2^32, none of which is read after the first.
  first = ieee_value(first, ieee_quiet_nan)
  first32 = ieee_value(first32, ieee_quiet_nan)
  call c_f_pointer(c_loc(first), large, [2_c_size_t**31, 2_c_size_t])
  call c_f_pointer(c_loc(first32), large32, [2_c_size_t**31, 2_c_size_t])
  call trainer%put(large, status=status)
  call trainer%prepare(status)
  call refused("prepare from a large array", "row 0, column 0")
  call trainer%put(large32, status=status)
  call trainer%prepare(status)
  call refused("prepare from a large array of float", "row 0, column 0")

  ! As Fortran's own open, save and load take a path without the blanks at its end.
  call trainer%hash(before)
  call trainer%save(path, status)
  call expect(status == 0, "save")
  inquire (file="fixed.dnn", exist=exists)
  call expect(exists .or. rank > 0, "the file has the name without blanks")
  call trainer%load(path, status)
  call expect(status == 0, "load")
  call trainer%hash(after)
  call expect(before == after, "the network of the file")
  call trainer%put(x, targets=y, status=status)
  call trainer%evaluate(loss, status=status)
  call trainer%figure(figure, loss, status)
  call expect(status == 0, "figure with blanks")

  ! An open trainer is not lost to a second one.
  call trainer%open(MPI_COMM_WORLD, "hidden = [4]", status)
  call refused("open again", "close it first")
  call trainer%hash(after)
  call expect(before == after, "the first trainer after a second open")

  call trainer%predict(x, narrow, status)
  call trainer%close(status)
  call expect(status == 0, "close")
  call trainer%close(status)
  call refused("close again", "null handle")
  call trainer%predict(x, narrow, status)
  call refused("predict when closed", "null handle")
  call trainer%open(MPI_COMM_WORLD, "hidden = [4]", status)
  call expect(status == 0, "open after close")
  call trainer%close()
  call MPI_Finalize()

contains

  subroutine refused(what, text)
    character(*), intent(in) :: what, text
    call expect(status /= 0, what // " fails")
    call expect(index(trainer%error(), text) > 0, what // " says: " // trainer%error())
  end subroutine

  subroutine expect(is_so, what)
    logical, intent(in) :: is_so
    character(*), intent(in) :: what
    if (is_so) return
    write (error_unit, '(a, i0, 2a)') "rank ", rank, ": not so: ", what
    call MPI_Abort(MPI_COMM_WORLD, 1)
  end subroutine

end program
